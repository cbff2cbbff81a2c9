use super::*;

fn format(name: &str, text: &str) -> TextFormat {
    text_format(text, Hint::new(name, None))
}

fn bytes(name: &str, bytes: &[u8]) -> Option<ByteFormat> {
    byte_format(bytes, Hint::new(name, None))
}

#[test]
fn content_counts_before_the_name() {
    assert_eq!(
        format("a.txt", "\n<!-- x --><!DOCTYPE html><p>a"),
        TextFormat::Html
    );
    assert_eq!(
        format("a.md", "<?xml version=\"1.0\"?>\n<HTML><body>a"),
        TextFormat::Html
    );
    assert_eq!(format("a.html", "plain, without a tag"), TextFormat::Plain);
    assert_eq!(format("a.html", "<p>a fragment"), TextFormat::Html);
    assert_eq!(bytes("a.txt", b"\n%PDF-1.7 ..."), Some(ByteFormat::Pdf));
    assert_eq!(bytes("a", b"\xff\xfe rubbish %PDF-1.4"), Some(ByteFormat::Pdf));
    assert_eq!(bytes("a.pdf", b"A PDF begins with %PDF-1.4."), None);
    assert_eq!(bytes("a.txt", b"{\\rtf1 x}"), Some(ByteFormat::Rtf));
    assert_eq!(format("a.txt", "{\"a\": 1}"), TextFormat::Json);
    assert_eq!(format("a", "[1, 2]"), TextFormat::Json);
    assert_eq!(format("a.txt", "<rss version=\"2.0\">"), TextFormat::Xml);
    assert_eq!(
        format("a.txt", "WEBVTT\n\n00:01 --> 00:02\nhi"),
        TextFormat::Subtitles
    );
    assert_eq!(
        format("a.txt", "1\n00:00:01,000 --> 00:00:02,000\nhi"),
        TextFormat::Subtitles
    );
    assert_eq!(
        format("run", "#!/usr/bin/env python3\nx"),
        TextFormat::Program("python")
    );
    assert_eq!(
        format("a.txt", "name\tage\nAda\t36\nAlan\t41\nGrace\t85\n"),
        TextFormat::Delimited(b'\t')
    );
}

#[test]
fn a_note_is_neither_a_message_nor_a_table_nor_json() {
    let note = "To: everybody\nDate: Monday\n\nThe committee meets, as always, on Monday.\n";
    assert_eq!(bytes("a.txt", note.as_bytes()), None);
    assert_eq!(bytes("a.eml", note.as_bytes()), Some(ByteFormat::Message));
    assert_eq!(format("a.txt", note), TextFormat::Plain);
    let prose = "One, two, three.\nFour, five, six.\nSeven, eight, nine.\nTen, eleven, twelve.\n";
    assert_eq!(format("a.txt", prose), TextFormat::Plain);
    assert_eq!(format("a.txt", "[a link] and (more)"), TextFormat::Plain);
    assert_eq!(format("a.txt", "From here on it rains.\n"), TextFormat::Plain);
}

#[test]
fn messages_and_mailboxes_are_known_by_their_heads() {
    let message = b"Received: from a\n by b; x\nFrom: a@example.org\nSubject: s\n\nText";
    assert_eq!(bytes("a.txt", message), Some(ByteFormat::Message));
    let mailbox = [
        b"From a@example.org Mon Jan  5 10:00:00 2026\n".as_slice(),
        message,
    ]
    .concat();
    assert_eq!(bytes("inbox", &mailbox), Some(ByteFormat::Mailbox));
}

#[test]
fn the_delimiter_is_the_one_that_makes_a_table() {
    assert_eq!(table::delimiter("a;b;c\n1,5;2;3\n1,6;2;3\n"), b';');
    assert_eq!(table::delimiter("a,b\n\"x;y\",2\n"), b',');
    assert_eq!(table::delimiter("a|b|c\n1|2|3\n"), b'|');
    assert_eq!(table::delimiter("one\ntwo\n"), b',');
    assert_eq!(table::delimiter("1,2,3,4\na,b\n4,2,5,5\n"), b',');
}

#[test]
fn the_name_decides_between_markdown_and_plain_text() {
    let markdown = "# Title\n\n- one\n- two\n";
    assert_eq!(format("a.md", "no marks at all"), TextFormat::Markdown);
    assert_eq!(format("a.txt", markdown), TextFormat::Plain);
    assert_eq!(format("README", markdown), TextFormat::Markdown);
    assert_eq!(
        format("Makefile", "# a comment\nall: x\n"),
        TextFormat::Program("make")
    );
    assert_eq!(
        text_format("x", Hint::new("a", Some("text/markdown; charset=utf-8"))),
        TextFormat::Markdown
    );
}
