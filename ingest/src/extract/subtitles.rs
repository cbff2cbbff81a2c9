//! Subtitles (`WebVTT`, `SubRip`): what is said, as running text, with the speaker where one is named.
//!
//! Cues follow each other every few seconds and end in mid-sentence, so the words of one speaker are one paragraph,
//! until somebody else speaks or nobody does for a while.

use lectern_domain::Extracted;

use super::compose::Composition;

/// A paragraph ends where nobody speaks for so many seconds.
const PAUSE_SECONDS: f64 = 8.0;

/// One subtitle.
struct Cue {
    begin: f64,
    end: f64,
    lines: Vec<String>,
}

/// Reads subtitles. Spans are those of the text that comes out.
pub(super) fn read(source: &str) -> Extracted {
    let mut composition = Composition::default();
    let mut paragraph = String::new();
    let (mut last_speaker, mut last_end) = (None, 0.0);
    for cue in cues(source) {
        for (place, line) in cue.lines.iter().enumerate() {
            let (speaker, words) = spoken(line);
            let is_other = speaker.is_some() && speaker != last_speaker;
            if is_other || (place == 0 && cue.begin - last_end > PAUSE_SECONDS) {
                composition.paragraph(&std::mem::take(&mut paragraph));
            }
            if is_other {
                paragraph.push_str(speaker.as_deref().unwrap_or_default());
                paragraph.push(':');
                last_speaker = speaker;
            }
            if !words.is_empty() && !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(&words);
        }
        last_end = cue.end;
    }
    composition.paragraph(&paragraph);
    composition.finish(if source.trim_start().starts_with("WEBVTT") {
        "text/vtt"
    } else {
        "application/x-subrip"
    })
}

/// The cues of a file. Notes, styles and the numbers of cues have no times, so they are none.
fn cues(source: &str) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut open: Option<Cue> = None;
    for line in source.lines().map(str::trim) {
        if let Some((begin, rest)) = line.split_once("-->") {
            cues.extend(open.take());
            let end = rest.split_whitespace().next().unwrap_or_default();
            open = Some(Cue {
                begin: seconds(begin.trim()),
                end: seconds(end),
                lines: Vec::new(),
            });
        } else if line.is_empty() {
            cues.extend(open.take());
        } else if let Some(cue) = &mut open {
            cue.lines.push(line.to_owned());
        }
    }
    cues.extend(open);
    cues
}

/// Seconds of a time such as `01:02:03.500` or `02:03,500`; zero where it is none.
fn seconds(time: &str) -> f64 {
    time.replace(',', ".")
        .split(':')
        .try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
        .unwrap_or(0.0)
}

/// The speaker of a line and its words, without tags.
fn spoken(line: &str) -> (Option<String>, String) {
    let mut speaker = None;
    let mut words = String::new();
    let mut rest = line;
    while let Some((before, tag)) = rest.split_once('<') {
        let Some((name, after)) = tag.split_once('>') else {
            break;
        };
        words.push_str(before);
        // A voice may have classes: `<v.loud Ann>`.
        if name.starts_with("v ") || name.starts_with("v.") {
            speaker = name.split_once(' ').map(|(_, name)| name.trim().to_owned());
        }
        rest = after;
    }
    words.push_str(rest);
    let words = words
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", " ");
    (speaker.filter(|name| !name.is_empty()), words.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_speaker_are_one_paragraph() {
        let source = "WEBVTT\n\nNOTE not said\n\n00:01.000 --> 00:02.000\n<v Ann>We are in\n\nid-2\n00:02.000 --> 00:03.000 align:left\n\
                      <v Ann><i>New York</i> &amp; more</v>\n\n00:03.000 --> 00:04.000\n<v.loud Bob>Are we?\n\n01:00:00.000 --> 01:00:01.000\nLater.\n";
        let extracted = read(source);
        assert_eq!(
            extracted.text,
            "Ann: We are in New York & more\n\nBob: Are we?\n\nLater."
        );
        assert_eq!(extracted.blocks.len(), 3);
    }

    #[test]
    fn numbers_and_times_are_no_words() {
        let extracted = read(
            "1\n00:00:01,000 --> 00:00:02,500\nOne,\ntwo.\n\n2\n00:00:03,000 --> 00:00:04,000\nThree.\n",
        );
        assert_eq!(extracted.text, "One, two. Three.");
        assert_eq!(extracted.media_type, "application/x-subrip");
    }
}
