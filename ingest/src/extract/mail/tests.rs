use super::*;

const MESSAGE: &str = concat!(
    "From: =?utf-8?q?J=C3=BCrgen_Doe?= <J.Doe@example.org>\r\n",
    "To: Ann <ann@example.org>, bob@example.org\r\n",
    "Subject: =?iso-8859-1?q?M=FCll?= and\r\n more\r\n",
    "Date: Mon, 5 Jan 2026 10:00:00 +0100\r\n",
    "MIME-Version: 1.0\r\n",
    "Content-Type: multipart/mixed; boundary=b1\r\n\r\n",
    "--b1\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n",
    "--b2\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    "The plain text of Gr=FCn.\r\n",
    "--b2\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
    "<p>The rich text of Grün.</p><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>\r\n--b2--\r\n",
    "--b1\r\nContent-Type: text/csv; name=\"../t.csv\"\r\nContent-Disposition: attachment; filename=\"../t.csv\"\r\n",
    "Content-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n",
    "--b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@example.org\r\nSubject: Inner\r\n\r\nInner words.\r\n",
    "--b1--\r\n"
);

#[test]
fn a_message_has_a_head_a_text_and_attachments() {
    let extracted = read(MESSAGE.as_bytes()).unwrap();
    insta::assert_snapshot!(extracted.text, @r"
    # Müll and more

    From: Jürgen Doe <J.Doe@example.org>
    To: Ann <ann@example.org>, bob@example.org
    Date: 2026-01-05T10:00:00+01:00
    Subject: Müll and more
    Attachments: .._t.csv, Inner.eml

    The rich text of Grün.

    | a | b |
    | --- | --- |
    | 1 | 2 |
    ");
    assert_eq!(extracted.title.as_deref(), Some("Müll and more"));
    let attributes = serde_json::to_string(&extracted.attributes).unwrap();
    insta::assert_snapshot!(attributes, @r#"{"author":"Jürgen Doe","created":"2026-01-05T09:00:00Z","from":"j.doe@example.org","subject":"Müll and more","to":["ann@example.org","bob@example.org"]}"#);
    assert_eq!(extracted.attachments[0].bytes, b"a,b\n1,2\n");
    let inner = read(&extracted.attachments[1].bytes).unwrap();
    assert_eq!(inner.title.as_deref(), Some("Inner"));
    assert!(inner.text.ends_with("Inner words."), "{:?}", inner.text);
}

#[test]
fn a_plain_message_keeps_its_paragraphs() {
    let extracted = read(b"From: a@example.org\n\nOne.\n\nTwo.\n").unwrap();
    assert_eq!(extracted.text, "From: a@example.org\n\nOne.\n\nTwo.");
    assert_eq!(extracted.blocks.len(), 3);
}

#[test]
fn a_name_is_one_line_without_a_slash() {
    assert_eq!(clean_name(" a/b\n c.pdf").as_deref(), Some("a_b c.pdf"));
    assert_eq!(clean_name(".."), None);
    let long = clean_name(&format!("{}.pdf", "x".repeat(500))).unwrap();
    assert!(long.ends_with("x.pdf") && long.chars().count() == LONGEST_NAME);
}
