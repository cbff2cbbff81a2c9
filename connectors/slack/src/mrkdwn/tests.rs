use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;

struct Few;

impl Names for Few {
    fn user(&mut self, id: &str) -> Option<String> {
        (id == "U1").then(|| "Ada [A_b] Lovelace".to_owned())
    }

    fn channel(&mut self, id: &str) -> Option<String> {
        (id == "C1").then(|| "general".to_owned())
    }
}

fn converted(text: &str) -> String {
    to_markdown(text, &mut Few)
}

#[test]
fn markup_becomes_markdown() {
    for (text, markdown) in [
        ("plain words", "plain words"),
        (
            "*bold* and _italic_ and ~gone~",
            "**bold** and _italic_ and ~~gone~~",
        ),
        ("*_both_*, (*in brackets*)", "**_both_**, (**in brackets**)"),
        ("*a _b ~c~ d_ e*", "**a _b ~~c~~ d_ e**"),
        ("2*3*4 snake_case_name", "2\\*3\\*4 snake_case_name"),
        ("*open and _never closed", "\\*open and \\_never closed"),
        ("* a star", "* a star"),
        ("**", "\\*\\*"),
        ("*two\nlines*", "\\*two\nlines\\*"),
        ("a `*not bold* &amp; <@U1>` b", "a `*not bold* & @U1` b"),
        ("an ` alone", "an \\` alone"),
        ("see ```let x = 1;``` here", "see\n```\nlet x = 1;\n```\nhere"),
        ("```\na ` b\n```", "```\na ` b\n```"),
        ("```never closed", "\\`\\`\\`never closed"),
        ("&gt; quoted\nnot quoted", "> quoted\n\nnot quoted"),
        ("&gt;&gt;&gt; all\nof it", "> all\n> of it"),
        ("• one\n    ◦ two", "- one\n- two"),
        ("# no heading\n#channel", "\\# no heading\n#channel"),
        ("title\n---\n===", "title\n\\---\n\\==="),
        ("a\\b C:\\dir \\*", "a\\b C:\\dir \\\\\\*"),
        ("&lt;b&gt; 1 &lt; 2 &amp;&amp; &amp;lt;", "\\<b> 1 < 2 && \\&lt;"),
        ("[a](b) [c]: d", "[a\\](b) [c\\]: d"),
    ] {
        assert_eq!(converted(text), markdown, "{text:?}");
    }
}

#[test]
fn mentions_are_names_and_links_lead_to_the_web_alone() {
    for (text, markdown) in [
        ("<@U1> <@U2> <@U3|bo>", "@Ada [A_b] Lovelace @U2 @bo"),
        (
            "<#C1|old-name> <#C9> <#C9|known>",
            "#general #private-channel #known",
        ),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@ops> <!subteam^S1>", "@ops @S1"),
        ("<!date^1^{date}|1 March> <!odd>", "1 March odd"),
        ("<https://a.example/?a=1&amp;b=2>", "<https://a.example/?a=1&b=2>"),
        (
            "<https://a.example/(x)|a *label*>",
            "[a \\*label\\*](https://a.example/%28x%29)",
        ),
        ("<https://a.example|a ] b>", "[a \\] b](https://a.example)"),
        ("*<https://a.example|bold>*", "**[bold](https://a.example)**"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<javascript:alert(1)|click>", "click"),
        ("<javascript:alert(1)>", "javascript:alert(1)"),
        ("<data:text/html,x|y>", "y"),
        (
            "<https://files.slack.com/f?t=xoxe-1-2|plan>",
            "[plan](https://files.slack.com/f)",
        ),
        ("<> <unclosed", "<> \\<unclosed"),
        ("<a<@U1>", "\\<a@Ada [A_b] Lovelace"),
    ] {
        assert_eq!(converted(text), markdown, "{text:?}");
    }
}

#[test]
fn hostile_lines_cost_no_more_than_others() {
    for part in ["*a ", "<", "`", "_*~", "&gt;", "*_~x", "<a|", "```"] {
        let text = part.repeat(100_000);
        assert!(converted(&text).len() < text.len() * 3, "{part:?}");
    }
}

proptest! {
    /// Whatever is written, no link leads elsewhere, and nothing is HTML.
    #[test]
    fn anything_converts(
        text in "([*_~`<>@#!|&;\\[\\]()\\\\\n -]|&lt;|&amp;|&gt;|a|script|https://x|javascript:|data:|U1|ü|```){0,60}"
    ) {
        let markdown = converted(&text);
        for event in Parser::new_ext(&markdown, Options::all()) {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => prop_assert!(false, "{html:?} in {markdown:?}"),
                Event::Start(Tag::Link { dest_url: url, .. } | Tag::Image { dest_url: url, .. }) => {
                    prop_assert!(["https:", "mailto:"].iter().any(|scheme| url.starts_with(scheme)), "{markdown:?}");
                }
                _ => {}
            }
        }
    }
}
