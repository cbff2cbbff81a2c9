//! The lines by which mail programs, in the languages that they speak, say that something is quoted.

/// What stands between dashes before a message that is answered.
const ORIGINAL: [&str; 14] = [
    "original message",
    "reply message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "oprindelig besked",
    "исходное сообщение",
];

/// What stands before a message that was passed on.
const FORWARDED: [&str; 12] = [
    "forwarded message",
    "begin forwarded message",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "mensagem encaminhada",
    "doorgestuurd bericht",
    "vidarebefordrat meddelande",
    "videresendt meddelelse",
    "пересылаемое сообщение",
];

/// The first of the fields that Outlook puts before a message that is answered.
const FROM: [&str; 11] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "от",
    "发件人",
    "差出人",
];
/// Those of which two follow.
const OTHERS: [&str; 33] = [
    "sent",
    "date",
    "to",
    "cc",
    "subject",
    "gesendet",
    "datum",
    "an",
    "betreff",
    "envoyé",
    "à",
    "objet",
    "enviado",
    "para",
    "asunto",
    "inviato",
    "a",
    "oggetto",
    "verzonden",
    "aan",
    "onderwerp",
    "skickat",
    "till",
    "ämne",
    "sendt",
    "til",
    "emne",
    "assunto",
    "отправлено",
    "кому",
    "тема",
    "发送时间",
    "主题",
];

/// What says that somebody wrote what follows.
const WROTE: [&str; 21] = [
    " wrote",
    " schrieb",
    " a écrit",
    " escribió",
    " ha scritto",
    " escreveu",
    " schreef",
    " skrev",
    " napisał",
    " pisze",
    " написал",
    " пишет",
    " kirjoitti",
    " napsal",
    " yazdı",
    "のメール",
    "のメッセージ",
    "写道",
    "寫道",
    " 작성",
    " írta",
];
/// What such a line begins with, where it is cut into several.
const OPENERS: [&str; 14] = [
    "on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "dnia ", "w dniu ", "dne ", "a ", "på ",
    "no dia ",
];

/// The longest text that says that somebody wrote what follows, and over how many lines.
const LONGEST_ATTRIBUTION: usize = 400;
const MOST_LINES: usize = 4;

/// Lines that say that somebody wrote what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribution {
    pub(super) lines: usize,
    /// Whether it says who and when, so that what follows is quoted even if nothing marks it.
    pub(super) is_full: bool,
}

/// `-----Original Message-----` and its kin.
pub(super) fn begins_original(line: &str) -> bool {
    between_dashes(line).is_some_and(|words| ORIGINAL.contains(&words.as_str()))
}

/// `---------- Forwarded message ---------` and its kin.
pub(super) fn is_forward(line: &str) -> bool {
    let is_named = |words: &str| FORWARDED.contains(&words.trim_end_matches([':', '：']).trim_end());
    let line = line.trim();
    // Few lines are looked at closely.
    if line.len() > 100 {
        return false;
    }
    match between_dashes(line) {
        Some(words) => is_named(&words),
        None => line.ends_with(':') && is_named(&line.to_lowercase()),
    }
}

/// The words between three dashes or more at both ends.
fn between_dashes(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches('\\');
    let words = line.strip_prefix("---")?.strip_suffix("---")?;
    (line.len() <= 100).then(|| words.trim_matches(['-', ' ', '\\']).to_lowercase())
}

/// Whether the fields `From:`, `Sent:`, `To:`, `Subject:` begin here, as Outlook puts them before what it quotes.
pub(super) fn is_header_block(lines: &[&str]) -> bool {
    let is_named =
        |line: &&&str, names: &[&str]| field(line).is_some_and(|name| names.contains(&name.as_str()));
    let mut lines = lines.iter();
    if !lines.next().is_some_and(|line| is_named(&line, &FROM)) {
        return false;
    }
    let near = lines.filter(|line| !line.trim().is_empty()).take(7);
    near.filter(|line| is_named(line, &OTHERS)).count() >= 2
}

/// The name of a field, in lower case, without the stars that make it bold.
fn field(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['*', ' ']);
    let (name, _) = line.split_once([':', '：'])?;
    let name = name.trim_end_matches(['*', ' ', '\u{a0}']);
    (!name.is_empty() && name.len() <= 20).then(|| name.to_lowercase())
}

/// Whether these lines begin by saying that somebody wrote what follows.
pub(super) fn attribution(lines: &[&str]) -> Option<Attribution> {
    let first = lines.first()?.trim().to_lowercase();
    if first.is_empty() || first.len() > LONGEST_ATTRIBUTION {
        return None;
    }
    let is_opened = OPENERS.iter().any(|opener| first.starts_with(opener));
    let most = if is_opened { MOST_LINES } else { 1 };
    let mut words = String::new();
    for (place, line) in lines.iter().take(most).enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('>') || words.len() + line.len() > LONGEST_ATTRIBUTION {
            return None;
        }
        if place > 0 {
            words.push(' ');
        }
        words.push_str(&line.to_lowercase());
        let says = || WROTE.iter().any(|wrote| words.contains(wrote));
        if words.ends_with([':', '：']) && says() {
            return Some(Attribution {
                lines: place + 1,
                is_full: is_full(&words),
            });
        }
    }
    None
}

/// Whether the words have a year and a time or an address.
fn is_full(words: &str) -> bool {
    let is_year = |word: &str| {
        let digits = word.trim_matches(|character: char| !character.is_ascii_digit());
        digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
    };
    let has_year = words.split([' ', '.', '/', '-', ',']).any(is_year);
    let bytes = words.as_bytes();
    let is_time = |at: usize| {
        bytes[at] == b':'
            && at > 0
            && bytes[at - 1].is_ascii_digit()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    has_year && ((0..bytes.len()).any(is_time) || words.contains('@'))
}

/// Whether the footer of a mailing list begins here: a line, and few lines behind it that lead to the list.
pub(super) fn is_list_footer(lines: &[&str]) -> bool {
    const MOST: usize = 8;
    let is_rule = lines
        .first()
        .is_some_and(|line| line.len() >= 30 && line.trim_end().bytes().all(|byte| byte == b'_'));
    let leads = |line: &&str| line.contains("://") || line.to_lowercase().contains("mailing list");
    is_rule && lines.len() <= MOST && lines[1..].iter().any(leads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_in_many_languages_who_wrote() {
        for (text, expected) in [
            (
                "On Mon, Jan 5, 2026 at 10:00 AM Ada Lovelace <ada@a.example> wrote:",
                Some((1, true)),
            ),
            (
                "On Mon, Jan 5, 2026 at 10:00 AM Ada Lovelace <\nada@a.example> wrote:",
                Some((2, true)),
            ),
            ("Am 05.01.26 um 10:00 schrieb Ada:", Some((1, false))),
            (
                "Am 5. Januar 2026 um 10:00 schrieb Ada Lovelace <ada@a.example>:",
                Some((1, true)),
            ),
            (
                "Le lun. 5 janv. 2026 à 10:00, Ada <ada@a.example> a écrit :",
                Some((1, true)),
            ),
            (
                "El lun, 5 ene 2026 a las 10:00, Ada (<ada@a.example>) escribió:",
                Some((1, true)),
            ),
            (
                "Il giorno lun 5 gen 2026 alle ore 10:00 Ada <ada@a.example> ha\nscritto:",
                Some((2, true)),
            ),
            (
                "Op ma 5 jan. 2026 om 10:00 schreef Ada <ada@a.example>:",
                Some((1, true)),
            ),
            (
                "Den mån 5 jan. 2026 kl 10:00 skrev Ada <ada@a.example>:",
                Some((1, true)),
            ),
            (
                "Em seg., 5 de jan. de 2026 às 10:00, Ada <ada@a.example> escreveu:",
                Some((1, true)),
            ),
            (
                "пн, 5 янв. 2026 г. в 10:00, Ада <ada@a.example> написал:",
                Some((1, true)),
            ),
            (
                "2026年1月5日(月) 10:00 Ada <ada@a.example>のメール：",
                Some((1, false)),
            ),
            ("Ada Lovelace wrote:", Some((1, false))),
            ("On Monday we met.\nShe wrote\n\nmuch:", None),
            ("I wrote it down.", None),
            ("", None),
        ] {
            let lines: Vec<&str> = text.lines().collect();
            let found = attribution(&lines).map(|found| (found.lines, found.is_full));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_block_of_fields_is_told_from_words() {
        for (text, expected) in [
            ("From: Ada\nSent: Monday\nTo: Bo\nSubject: Keys", true),
            (
                "**Von:** Ada\n**Gesendet:** Montag\n**An:** Bo\n**Betreff:** Schlüssel",
                true,
            ),
            ("De : Ada\nEnvoyé : lundi\nÀ : Bo\nObjet : Clés", true),
            ("From: here on\nwe go", false),
            ("To: Bo\nSubject: Keys", false),
        ] {
            assert_eq!(
                is_header_block(&text.lines().collect::<Vec<_>>()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_passed_on_is_told_from_what_is_answered() {
        for (line, is_passed_on, is_answered) in [
            ("---------- Forwarded message ---------", true, false),
            ("Begin forwarded message:", true, false),
            ("-----Original Message-----", false, true),
            ("-------- Ursprüngliche Nachricht --------", false, true),
            ("--- a/file.c", false, false),
            ("---", false, false),
            ("----------", false, false),
        ] {
            assert_eq!(
                (is_forward(line), begins_original(line)),
                (is_passed_on, is_answered),
                "{line}"
            );
        }
    }
}
