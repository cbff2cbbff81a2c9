use super::*;

/// What a page becomes at most, for each byte of it.
const MOST_TIMES: usize = 16;

fn markdown(html: &str) -> String {
    to_markdown(html, usize::MAX)
}

#[test]
fn html_becomes_words_and_quotes() {
    for (html, expected) in [
        ("<p>Hello <b>you</b></p><p>Bye</p>", "Hello **you**\n\nBye"),
        (
            "<div>one</div><div>two<br>three</div><div><br></div><div>four",
            "one\ntwo\nthree\n\nfour",
        ),
        ("a<br><br><br>b", "a\n\nb"),
        ("<h1>N<b>ew</b>s\n today</h1>text", "**News today**\n\ntext"),
        ("a <b> b </b> c<strong>d</strong>e", "a **b** c**d**e"),
        ("<b><p>a</p><p>b</p></b>c", "**a**\n\n**b**\n\nc"),
        ("a&nbsp;&amp;\n b &lt;i&gt;", "a & b <i>"),
        (
            "see <a href='https://a.example/?t=1'>the plan</a> <img src=x alt='a &amp; b'>",
            "see the plan a & b",
        ),
        ("# one<p>#two</p>```", "\\# one\n\n\\#two\n\n\\```"),
        (
            "<pre>  one\n    two  three\n\n\n\nfour</pre>",
            "one\ntwo  three\n\nfour",
        ),
        (
            "<title>no</title><style>no</style>yes<script>no</script><svg><text>no</text></svg>",
            "yes",
        ),
        // Quotes.
        (
            "yes<blockquote>no<br>maybe</blockquote>ok",
            "yes\n\n> no\n> maybe\n\nok",
        ),
        (
            "<blockquote>a<blockquote><p>b<p>c</blockquote>d</blockquote>",
            "> a\n>\n> > b\n> >\n> > c\n>\n> d",
        ),
        // Signatures, and what isn't shown.
        (
            "yes<div class='x gmail_signature'>Ada<div>Director</div></div>ok",
            "yes\nok",
        ),
        ("yes<p STYLE='color:red; DISPLAY : none'>no<p>ok", "yes\n\nok"),
        (
            "<table><tr><td>yes<div style=display:none>no</td><td>ok</td></tr></table>",
            "yes | ok",
        ),
        // Lists.
        (
            "a<ul><li>one<li>two<p>more</p><ol><li>three</li><li>four</ol><li></ul>b",
            "a\n\n- one\n- two\n\n  more\n\n  1. three\n  2. four\n\nb",
        ),
        ("<li>a<li>b", "- a\n- b"),
        // Tables.
        (
            "<table><tr><td>Monday</td><td>9</td></tr><tr><td>Friday</td><td></td></tr></table>",
            "Monday | 9\nFriday",
        ),
        (
            "a<table><thead><tr><th>Day<th><p>Hour</p><tbody><tr><td>Monday<td>9</table>b",
            "a\n\nDay | Hour\nMonday | 9\n\nb",
        ),
        ("<table><tr><td><p>a</p><p>b</p></td></tr></table>", "a\n\nb"),
        (
            "<table><tr><td>a<td>b<br>c<td>d<td>e</table>",
            "a\n\nb\nc\n\nd | e",
        ),
        (
            "<table><tr><td>a<table><tr><td>b<td>c</table></td><td>d</table>",
            "a\n\nb | c\n\nd",
        ),
        (
            "<table><tr><td><blockquote>a</blockquote><td>b</table>",
            "> a\n\nb",
        ),
        ("<table><td>a<td>b</table><td>c</td><tr>d</tr>", "a | b\n\nc\nd"),
        // Ends that end nothing, and beginnings without an end.
        ("</b></td></table></blockquote>a<b>b", "a**b**"),
        (
            "<blockquote><table><tr><td>a</blockquote>b</table>c",
            "> ab\n>\n> c",
        ),
    ] {
        assert_eq!(markdown(html), expected, "{html}");
    }
}

#[test]
fn what_is_open_costs_nothing_where_more_is_opened() {
    let words = |html: &str| markdown(html).matches('x').count();
    let opened: String = (0..240).map(|number| format!("<b a={number}>")).collect();
    let paragraphs = format!("<p>{opened}</p>{}", "<p>x</p>".repeat(500_000));
    let text = markdown(&paragraphs);
    assert_eq!(text.matches("**x**").count(), 500_000);
    assert!(
        text.len() <= MOST_TIMES * paragraphs.len(),
        "{} bytes",
        text.len()
    );
    for (begin, end) in [
        ("<div>", "</div>"),
        ("<b>", "</b>"),
        ("<blockquote>", "</blockquote>"),
        ("<ul><li>", "</li></ul>"),
        ("<table><tr><td>", "</td></tr></table>"),
        ("<span style=display:none><i>", ""),
        ("<p a b c d='", "'>"),
    ] {
        let html = format!("{}x{}", begin.repeat(100_000), end.repeat(100_000));
        assert!(words(&html) <= 1, "{begin}");
        assert!(markdown(&html).len() <= MOST_TIMES * html.len(), "{begin}");
    }
    let attributes: String = (0..400_000).map(|number| format!(" a{number}")).collect();
    assert_eq!(words(&format!("<p{attributes}>x")), 1);
    assert!(to_markdown(&paragraphs, 1_000).len() < 1_100, "it ends early");
}

proptest::proptest! {
    #[test]
    fn whatever_html_says_is_bounded(
        html in "(<(p|b|div|blockquote|ul|ol|li|table|tr|td|pre|br|h1|svg|span|!--|style|p style=display:none|img alt=x)>|</(p|b|div|blockquote|ul|li|table|tr|td|pre|h1|svg|span|style)>|-->|x| |\n|&lt;|#|<|>|&|é){0,80}"
    ) {
        let text = markdown(&html);
        assert!(text.len() <= MOST_TIMES * html.len(), "{html:?} becomes {text:?}");
    }

    #[test]
    fn any_text_is_html(html in "\\PC{0,200}", marks in "[<>&;/='\" a-z!-]{0,200}") {
        for html in [format!("{html}{marks}"), format!("{marks}{html}{marks}")] {
            assert!(markdown(&html).len() <= MOST_TIMES * html.len() + MOST_TIMES, "{html:?}");
        }
    }
}
