//! The languages that the index knows, by their ISO 639-1 codes: those whose words are reduced to stems (Snowball), and
//! Japanese, whose words are cut in another way.
//!
//! A document has the language that its attribute `language` names. Where that is none of these, its words are taken
//! for English ones: that does nothing to words in another script, and most Latin words in such texts are English.

use lectern_domain::attribute::names;
use lectern_domain::{AttributeValue, Attributes};
use tantivy::tokenizer::Language as Stems;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    /// Words are reduced to stems.
    Stemmed(Stems),
    /// Words of Chinese characters are cut into pairs, like those with kana, wherever they stand.
    Japanese,
}

/// What is taken where nothing better is known.
pub(crate) const DEFAULT: Language = Language::Stemmed(Stems::English);

const CODES: [(&str, Language); 19] = [
    ("ar", Language::Stemmed(Stems::Arabic)),
    ("da", Language::Stemmed(Stems::Danish)),
    ("de", Language::Stemmed(Stems::German)),
    ("el", Language::Stemmed(Stems::Greek)),
    ("en", Language::Stemmed(Stems::English)),
    ("es", Language::Stemmed(Stems::Spanish)),
    ("fi", Language::Stemmed(Stems::Finnish)),
    ("fr", Language::Stemmed(Stems::French)),
    ("hu", Language::Stemmed(Stems::Hungarian)),
    ("it", Language::Stemmed(Stems::Italian)),
    ("ja", Language::Japanese),
    ("nl", Language::Stemmed(Stems::Dutch)),
    ("no", Language::Stemmed(Stems::Norwegian)),
    ("pt", Language::Stemmed(Stems::Portuguese)),
    ("ro", Language::Stemmed(Stems::Romanian)),
    ("ru", Language::Stemmed(Stems::Russian)),
    ("sv", Language::Stemmed(Stems::Swedish)),
    ("ta", Language::Stemmed(Stems::Tamil)),
    ("tr", Language::Stemmed(Stems::Turkish)),
];

impl Language {
    /// The stems of its words, and those of the foreign words in it where it has letters of its own.
    pub(crate) fn stems(self) -> (Stems, Option<Stems>) {
        match self {
            Self::Japanese => (Stems::English, None),
            Self::Stemmed(own @ (Stems::Arabic | Stems::Greek | Stems::Russian | Stems::Tamil)) => {
                (own, Some(Stems::English))
            }
            Self::Stemmed(own) => (own, None),
        }
    }
}

/// All languages with stems of their own.
pub(crate) fn all_stems() -> impl Iterator<Item = Stems> {
    CODES.iter().filter_map(|(_, language)| match language {
        Language::Stemmed(stems) => Some(*stems),
        Language::Japanese => None,
    })
}

/// The language of a code such as `de`, `de-AT` or `nb`.
pub(crate) fn of_code(code: &str) -> Option<Language> {
    let code = code.trim().to_ascii_lowercase();
    let primary = code.split(['-', '_']).next().unwrap_or_default();
    let primary = match primary {
        "nb" | "nn" => "no",
        other => other,
    };
    let found = CODES.iter().find(|(code, _)| *code == primary);
    found.map(|(_, language)| *language)
}

/// The two letters of a language.
pub(crate) fn code_of(language: Language) -> &'static str {
    let found = CODES.iter().find(|(_, known)| *known == language);
    found.map_or("en", |(code, _)| *code)
}

/// The language of a document by its attributes; of several, the first that is known.
pub(crate) fn of_document(attributes: &Attributes) -> Language {
    let known = match attributes.get(names::LANGUAGE) {
        Some(AttributeValue::Text(code)) => of_code(code),
        Some(AttributeValue::TextList(codes)) => codes.iter().find_map(|code| of_code(code)),
        _ => None,
    };
    known.unwrap_or(DEFAULT)
}

/// The code of that language, as it is given to [`super::words_in`] and [`super::StopWords`].
pub(crate) fn code_of_document(attributes: &Attributes) -> &'static str {
    code_of(of_document(attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_the_forms_that_occur() {
        for (code, language) in [
            ("de", Some(Language::Stemmed(Stems::German))),
            ("de-AT", Some(Language::Stemmed(Stems::German))),
            ("PT_br", Some(Language::Stemmed(Stems::Portuguese))),
            (" nb ", Some(Language::Stemmed(Stems::Norwegian))),
            ("ja", Some(Language::Japanese)),
            ("zh", None),
            ("", None),
            ("deutsch", None),
        ] {
            assert_eq!(of_code(code), language, "{code}");
        }
        for (code, language) in CODES {
            assert_eq!((of_code(code), code_of(language)), (Some(language), code));
        }
    }

    #[test]
    fn a_document_without_a_known_language_is_english() {
        let of = |json: &str| of_document(&serde_json::from_str(json).unwrap());
        assert_eq!(of("{}"), DEFAULT);
        assert_eq!(of(r#"{"language":"zh"}"#), DEFAULT);
        assert_eq!(of(r#"{"language":7}"#), DEFAULT);
        assert_eq!(
            of(r#"{"language":["zh","fr"]}"#),
            Language::Stemmed(Stems::French)
        );
        assert_eq!(of(r#"{"language":"ja"}"#), Language::Japanese);
    }
}
