use super::*;

const WROTE: &str = "On Mon, Jan 5, 2026 at 10:00 AM Ada <ada@a.example> wrote:";

/// The text, what is left of it when the quoted message is in the mailbox, and what is left when it isn't.
fn cases() -> Vec<(&'static str, String, String, String)> {
    let both = |name, text: &str, left: &str| (name, text.to_owned(), left.to_owned(), left.to_owned());
    let other =
        |name, text: &str, left: &str, kept: &str| (name, text.to_owned(), left.to_owned(), kept.to_owned());
    vec![
        both("plain", "Yes.\n\n\nTomorrow.\n", "Yes.\n\nTomorrow."),
        other(
            "answer above",
            &format!("Yes.\n\n{WROTE}\n\n> Who has it?\n>\n> Ada\n"),
            "Yes.",
            &format!("Yes.\n\n{WROTE}\n\n> Who has it?\n>\n> Ada"),
        ),
        other(
            "answer below",
            &format!("{WROTE}\n> Who has it?\n\nTheodora.\n"),
            "Theodora.",
            &format!("{WROTE}\n> Who has it?\n\nTheodora."),
        ),
        both(
            "answers between",
            &format!("{WROTE}\n> Who has it?\n\nTheodora.\n\n> Where?\n\nHere.\n"),
            &format!("{WROTE}\n> Who has it?\n\nTheodora.\n\n> Where?\n\nHere."),
        ),
        other(
            "answers between, and a rest",
            "Hello,\n\n> Who?\n\nTheodora.\n\n> Ada\n> Director\n",
            "Hello,\n\n> Who?\n\nTheodora.",
            "Hello,\n\n> Who?\n\nTheodora.\n\n> Ada\n> Director",
        ),
        other(
            "Outlook's line",
            "Yes.\n\n-----Original Message-----\nFrom: Ada\nSent: Monday\n\nWho has it?\n",
            "Yes.",
            "Yes.\n\n-----Original Message-----\nFrom: Ada\nSent: Monday\n\nWho has it?",
        ),
        other(
            "Outlook's fields",
            "Ja.\n\n________________________________\nVon: Ada\nGesendet: Montag\nAn: Bo\nBetreff: Re: Schlüssel\n\nWer hat sie?\n",
            "Ja.",
            "Ja.\n\n________________________________\nVon: Ada\nGesendet: Montag\nAn: Bo\nBetreff: Re: Schlüssel\n\nWer hat sie?",
        ),
        other(
            "a full line and no marks",
            &format!("Yes.\n\n{WROTE}\n\nWho has it?\n"),
            "Yes.",
            &format!("Yes.\n\n{WROTE}\n\nWho has it?"),
        ),
        both(
            "somebody wrote, in a sentence",
            "As Ada wrote:\n\nThe keys hang there.\n",
            "As Ada wrote:\n\nThe keys hang there.",
        ),
        both("signature", "Yes.\n-- \nAda\nDirector\n", "Yes."),
        other(
            "signature above the quote",
            &format!("Yes.\n\n-- \nAda\n\n{WROTE}\n> Who?\n"),
            "Yes.",
            &format!("Yes.\n\n{WROTE}\n> Who?"),
        ),
        other(
            "signature below the quote",
            "> Who?\n\n-- \nAda\n",
            "> Who?",
            "> Who?",
        ),
        both(
            "footer of a list",
            "Yes.\n_______________________________________________\nStaff mailing list\nhttps://lists.a.example/staff\n",
            "Yes.",
        ),
        both(
            "passed on",
            "See below.\n\n---------- Forwarded message ---------\nFrom: Ada\nSubject: Keys\nTo: Bo\n\n> Who?\n",
            "See below.\n\n---------- Forwarded message ---------\nFrom: Ada\nSubject: Keys\nTo: Bo\n\n> Who?",
        ),
        both("nothing but a quote", "> Who has it?\n", "> Who has it?"),
        both(
            "a rule that is no signature",
            &format!("One.\n--\n{}", "line\n".repeat(20)),
            &format!("One.\n--\n{}", "line\n".repeat(20).trim_end()),
        ),
        both("nothing", "", ""),
    ]
}

#[test]
fn what_is_quoted_goes_where_it_can_be_read_elsewhere_and_nowhere_else() {
    for (name, text, elsewhere, only_here) in cases() {
        let mut seen = Seen::default();
        seen.add(&text);
        assert_eq!(cut(&text, Some(&seen)), elsewhere, "{name}, elsewhere");
        assert_eq!(cut(&text, None), only_here, "{name}, only here");
    }
}

#[test]
fn what_is_marked_like_a_quote_and_stands_nowhere_else_stays() {
    let text = "It fails like this:\n\n> error 17: no such device in the engine room\n> error 18: the night watch sleeps\n";
    let mut seen = Seen::default();
    seen.add("Does it work by now?");
    assert_eq!(cut(text, Some(&seen)), text.trim_end());
    seen.add("error 17: no such device in the engine room, error 18: the night watch sleeps");
    assert_eq!(cut(text, Some(&seen)), "It fails like this:");
}

proptest::proptest! {
    #[test]
    fn no_word_is_invented_and_some_are_left(text in "(>|a|b|\n| |-- \n|wrote:|From: x\n|To: y\n|Subject: z\n){0,40}", elsewhere: bool) {
        let seen = Seen::default();
        let left = cut(&text, elsewhere.then_some(&seen));
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        for line in left.lines().filter(|line| !line.is_empty()) {
            assert!(lines.contains(&line), "{line:?} of {text:?}");
        }
        assert_eq!(left.is_empty(), text.trim().is_empty(), "{text:?}");
    }
}
