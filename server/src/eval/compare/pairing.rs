//! Which question of one run is which of another.
//!
//! Questions are paired by their texts. An id alone doesn't tell: a question that was given none is called by the number
//! of its line, and that is another question's once a line was added above. So a text that each run asks once makes a
//! pair, whatever the ids are. A text that is asked several times, each time with other expectations, is paired by id,
//! and only where both runs have the same ids for it. Otherwise nobody knows which of them is which.

use std::collections::BTreeMap;

use crate::eval::measures::Measures;

/// What a run measured in one way, and what it asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured<'a> {
    /// The texts of the questions, by id.
    pub(super) texts: &'a BTreeMap<String, String>,
    /// What was measured of each question, by id.
    pub(super) questions: &'a BTreeMap<String, Measures>,
}

/// A question of both runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    /// Its id in the run after.
    pub(super) id: &'a str,
    /// Its text.
    pub(super) text: &'a str,
    /// What was measured before.
    pub(super) was: &'a Measures,
    /// What was measured after.
    pub(super) is: &'a Measures,
}

impl<'a> Measured<'a> {
    /// What was measured of each text, by id.
    fn by_text(self) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a Measures>> {
        let mut by_text: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (id, measures) in self.questions {
            if let Some(text) = self.texts.get(id) {
                let ids = by_text.entry(text.as_str()).or_default();
                ids.insert(id.as_str(), measures);
            }
        }
        by_text
    }
}

/// The questions of both runs, in the order of their ids.
pub(super) fn pairs<'a>(before: Measured<'a>, after: Measured<'a>) -> Vec<Pair<'a>> {
    let after = after.by_text();
    let mut pairs = Vec::new();
    for (text, was) in before.by_text() {
        let Some(is) = after.get(text) else {
            continue;
        };
        let is_asked_once = was.len() == 1 && is.len() == 1;
        if !is_asked_once && !was.keys().eq(is.keys()) {
            continue;
        }
        let of_text = was.into_values().zip(is);
        pairs.extend(of_text.map(|(was, (&id, &is))| Pair { id, text, was, is }));
    }
    pairs.sort_by_key(|pair| pair.id);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::measures::Metric;

    /// Questions by id and text, each with a figure by which it is known.
    fn paired(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<(String, f64, f64)> {
        let texts = |of: &[(&str, &str)]| -> BTreeMap<String, String> {
            let texts = of.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned()));
            texts.collect()
        };
        let questions = |of: &[(&str, &str)]| -> BTreeMap<String, Measures> {
            let numbered = (0..).zip(of);
            let measured = |(number, (id, _)): (i32, &(&str, &str))| {
                let measures = Measures::from([(Metric::Ndcg10, f64::from(number))]);
                ((*id).to_owned(), measures)
            };
            numbered.map(measured).collect()
        };
        let (texts, questions) = (
            [texts(before), texts(after)],
            [questions(before), questions(after)],
        );
        let [before, after] = [0, 1].map(|run| Measured {
            texts: &texts[run],
            questions: &questions[run],
        });
        let figure = |measures: &Measures| measures[&Metric::Ndcg10];
        let pairs = pairs(before, after).into_iter();
        pairs
            .map(|pair| (pair.id.to_owned(), figure(pair.was), figure(pair.is)))
            .collect()
    }

    fn pair(id: &str, was: f64, is: f64) -> (String, f64, f64) {
        (id.to_owned(), was, is)
    }

    #[test]
    fn a_question_is_found_again_when_a_line_was_added_above_it() {
        let before = [("1", "How long?"), ("2", "Who signs?")];
        let after = [("1", "Where?"), ("2", "How long?"), ("3", "Who signs?")];
        assert_eq!(
            paired(&before, &after),
            [pair("2", 0.0, 1.0), pair("3", 1.0, 2.0)]
        );
    }

    #[test]
    fn other_words_are_another_question_whatever_the_id_is() {
        let before = [("1", "How long?"), ("q2", "Who signs?")];
        let after = [("1", "Where?"), ("q2", "Who signs a purchase?")];
        assert_eq!(paired(&before, &after), []);
    }

    #[test]
    fn a_text_that_is_asked_several_times_is_paired_by_ids_that_both_runs_have() {
        let twice = [("a", "How long?"), ("b", "How long?")];
        let other_order = [("b", "How long?"), ("a", "How long?")];
        assert_eq!(
            paired(&twice, &other_order),
            [pair("a", 0.0, 1.0), pair("b", 1.0, 0.0)]
        );
        // One line further down: "2" is another of the two.
        let before = [("1", "How long?"), ("2", "How long?")];
        let after = [("1", "Where?"), ("2", "How long?"), ("3", "How long?")];
        assert_eq!(paired(&before, &after), []);
        assert_eq!(paired(&before, &after[..2]), [], "one of them is gone");
    }
}
