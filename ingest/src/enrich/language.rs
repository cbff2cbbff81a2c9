//! The language of a text, by its script and its trigrams.

use lectern_domain::{BlockKind, Extracted};
use whatlang::{Lang, detect as detect_language};

/// How much of a text is looked at, in bytes. More makes no difference and costs time.
const SAMPLE_BYTES: usize = 4 << 10;
/// With fewer letters than this, chance decides between related languages.
const MIN_LETTERS: usize = 60;

/// The ISO 639-1 code of the language of the running text, or `None` where it isn't clear: too little text, code and
/// tables only, or two languages that come out alike.
pub(super) fn detect(extracted: &Extracted) -> Option<&'static str> {
    let sample = sample(extracted);
    if sample
        .chars()
        .filter(|character| character.is_alphabetic())
        .count()
        < MIN_LETTERS
    {
        return None;
    }
    let info = detect_language(&sample)?;
    info.is_reliable().then(|| code(info.lang()))
}

/// The beginnings of the paragraphs, up to the size of a sample.
fn sample(extracted: &Extracted) -> String {
    let mut sample = String::with_capacity(SAMPLE_BYTES);
    let paragraphs = extracted
        .blocks
        .iter()
        .filter(|block| block.kind == BlockKind::Paragraph)
        .filter_map(|block| block.span.of(&extracted.text));
    for paragraph in paragraphs {
        let room = SAMPLE_BYTES.saturating_sub(sample.len());
        if room == 0 {
            break;
        }
        sample.push_str(&paragraph[..paragraph.floor_char_boundary(room)]);
        sample.push('\n');
    }
    sample
}

/// From ISO 639-3, which the detector speaks, to ISO 639-1, which people and Amazon's services write.
fn code(language: Lang) -> &'static str {
    match language {
        Lang::Epo => "eo",
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Cmn => "zh",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Ben => "bn",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Kat => "ka",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Heb => "he",
        Lang::Yid => "yi",
        Lang::Pol => "pl",
        Lang::Amh => "am",
        Lang::Jav => "jv",
        Lang::Kor => "ko",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Fin => "fi",
        Lang::Tur => "tr",
        Lang::Nld => "nl",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Mar => "mr",
        Lang::Kan => "kn",
        Lang::Ron => "ro",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Tam => "ta",
        Lang::Vie => "vi",
        Lang::Urd => "ur",
        Lang::Tha => "th",
        Lang::Guj => "gu",
        Lang::Uzb => "uz",
        Lang::Pan => "pa",
        Lang::Aze => "az",
        Lang::Ind => "id",
        Lang::Tel => "te",
        Lang::Pes => "fa",
        Lang::Mal => "ml",
        Lang::Ori => "or",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Sin => "si",
        Lang::Khm => "km",
        Lang::Tuk => "tk",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Afr => "af",
        Lang::Lat => "la",
        Lang::Slk => "sk",
        Lang::Cat => "ca",
        Lang::Tgl => "tl",
        Lang::Hye => "hy",
        // The crate may learn more languages; those have no short code here.
        other => other.code(),
    }
}
