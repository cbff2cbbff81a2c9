use super::*;

/// A multipart with these parts, the fields of each before its text.
fn multipart(kind: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("--{boundary}\n{part}\n"))
        .collect();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\n\n{parts}--{boundary}--\n")
}

fn part(kind: &str, text: &str) -> String {
    format!("Content-Type: {kind}\n\n{text}")
}

/// The texts of what is to be read plain, as HTML, and of what is attached.
fn read(message: &str) -> Result<[Vec<String>; 3], &'static str> {
    let message = format!("From: a@x\n{message}");
    let mail = Mail::parse(message.as_bytes())?;
    Ok([
        mail.text().map(Part::text).collect(),
        mail.html().map(Part::text).collect(),
        mail.attached().map(Part::text).collect(),
    ])
}

#[test]
fn the_text_is_told_from_what_is_attached() {
    let (plain, html) = (part("text/plain", "plain"), part("text/html", "<p>html"));
    let alternative = multipart("alternative", "alt", &[plain.clone(), html.clone()]);
    let picture = part("image/png", "picture");
    for (name, message, expected) in [
        ("nothing is stated", "\nwords\n".to_owned(), [vec!["words\n"], vec!["words\n"], vec![]]),
        ("one form", html.clone(), [vec!["<p>html"], vec!["<p>html"], vec![]]),
        ("two forms", alternative.clone(), [vec!["plain"], vec!["<p>html"], vec![]]),
        (
            "one form of two",
            multipart("alternative", "alt", std::slice::from_ref(&html)),
            [vec!["<p>html"], vec!["<p>html"], vec![]],
        ),
        (
            "two forms and a file",
            multipart("mixed", "b", &[alternative.clone(), part("application/pdf", "file")]),
            [vec!["plain"], vec!["<p>html"], vec!["file"]],
        ),
        (
            "HTML with a picture",
            multipart("alternative", "b", &[plain.clone(), multipart("related", "c", &[html.clone(), picture.clone()])]),
            [vec!["plain"], vec!["<p>html"], vec!["picture"]],
        ),
        (
            "a footer behind the text",
            multipart("mixed", "b", &[plain.clone(), picture, plain.clone()]),
            [vec!["plain", "plain"], vec!["plain", "plain"], vec![]],
        ),
        (
            "text with a name",
            multipart("mixed", "b", &[plain.clone(), part("text/plain; name=a.txt", "named")]),
            [vec!["plain"], vec!["plain"], vec!["named"]],
        ),
        (
            "an attached message",
            multipart("mixed", "b", &[plain.clone(), part("message/rfc822", "Subject: S\n\ninner")]),
            [vec!["plain"], vec!["plain"], vec!["Subject: S\n\ninner"]],
        ),
        (
            "a digest",
            multipart("digest", "b", &["\nSubject: S\n\none".to_owned(), "\nSubject: T\n\ntwo".to_owned()]),
            [vec![], vec![], vec!["Subject: S\n\none", "Subject: T\n\ntwo"]],
        ),
        (
            "a boundary that begins another one, and no end",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b2\n\n--b2\n\none\n--b2--\n--b \n\ntwo\n"
                .to_owned(),
            [vec!["one", "two\n"], vec!["one", "two\n"], vec![]],
        ),
        (
            "a boundary that isn't there",
            "Content-Type: multipart/mixed; boundary=b\n\nwords\n".to_owned(),
            [vec!["words\n"], vec!["words\n"], vec![]],
        ),
        (
            "a part without an empty line",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nno field here\r\n--b--\r\n".to_owned(),
            [vec!["no field here"], vec!["no field here"], vec![]],
        ),
        (
            "no valid base64",
            "Content-Transfer-Encoding: base64\n\nno!\n".to_owned(),
            [vec!["no!\n"], vec!["no!\n"], vec![]],
        ),
    ] {
        let expected: [Vec<String>; 3] = expected.map(|texts| texts.into_iter().map(str::to_owned).collect());
        assert_eq!(read(&message).unwrap(), expected, "{name}");
    }
}

#[test]
fn what_goes_beyond_the_bounds_is_refused_as_a_whole() {
    let nested = |depth: usize| {
        (0..depth).fold(part("text/plain", "words"), |inner, level| {
            multipart("mixed", &format!("b{level}"), &[inner])
        })
    };
    assert_eq!(read(&nested(MOST_DEPTH)).unwrap()[0], ["words"]);
    assert_eq!(
        read(&nested(MOST_DEPTH + 1)).unwrap_err(),
        "its parts lie more than 32 deep in each other"
    );
    let many = |count: usize| multipart("mixed", "b", &vec![part("application/pdf", "x"); count]);
    assert_eq!(read(&many(MOST_PARTS - 1)).unwrap()[2].len(), MOST_PARTS - 1);
    assert_eq!(
        read(&many(MOST_PARTS)).unwrap_err(),
        "it has more than 1000 parts"
    );
    assert_eq!(
        read(&many(200 * MOST_PARTS)).unwrap_err(),
        "it has more than 1000 parts"
    );
    let long = multipart(
        "mixed",
        "b",
        &[format!("X-Long: {}\n\nwords", "x".repeat(MOST_PART_FIELD_BYTES))],
    );
    assert_eq!(
        read(&long).unwrap_err(),
        "the header fields of a part have more than 16 KiB"
    );
    assert_eq!(
        read(&format!("X-Long: {}\n\nwords", "x".repeat(MOST_FIELD_BYTES))).unwrap_err(),
        "its header fields have more than 256 KiB"
    );
}

#[test]
fn messages_in_messages_and_boundaries_without_end_cost_no_more_than_their_bytes() {
    // Each of these would be a level of a tree.
    let nested = "Content-Type: message/rfc822\n\n".repeat(500_000);
    assert_eq!(read(&nested).unwrap()[2].len(), 1);
    // Each of these would be looked for up to the end.
    let missing: String = (0..300_000)
        .map(|number| format!("--b\nContent-Type: multipart/mixed; boundary=c{number}\n\n"))
        .collect();
    let missing = format!("Content-Type: multipart/mixed; boundary=b\n\n{missing}");
    assert_eq!(read(&missing).unwrap_err(), "it has more than 1000 parts");
}

proptest::proptest! {
    #[test]
    fn whatever_stands_in_a_message_is_no_more_than_it_is(
        message in "(--b\n|--b--\n|--c\n|--c--\n|\n|\r\n|words|Content-Type: |multipart/(mixed|alternative|related|digest); boundary=(b|c)\n|text/(plain|html)\n|image/png\n|message/rfc822\n|Content-Disposition: attachment\n){0,60}"
    ) {
        if let Ok([text, html, attached]) = read(&message) {
            let bytes = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
            assert!(bytes(&text).max(bytes(&html)) + bytes(&attached) <= message.len(), "{message:?}");
        }
    }
}
