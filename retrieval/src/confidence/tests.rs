use lectern_domain::WordClause;
use proptest::prelude::*;

use super::*;
use crate::synonyms::Synonyms;

fn asked(question: &str) -> AskedWords {
    AskedWords::of(&WordQuery::plain(question))
}

fn asked_with(synonyms: &str, question: &str) -> AskedWords {
    let synonyms = Synonyms::parse(synonyms).unwrap();
    AskedWords::of(&synonyms.expand(WordQuery::plain(question)))
}

#[test]
fn coverage_counts_words_of_content_by_their_stems() {
    let question = asked("How many weeks of parental leave are there?");
    assert_eq!(
        question.coverage("Leaves for parents: parental leave, a week."),
        1.0
    );
    assert!((question.coverage("A week is short.") - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!(question.coverage("How many are there?"), 0.0);
}

#[test]
fn a_question_of_function_words_alone_is_covered_by_them() {
    assert_eq!(asked("who am I?").coverage("That is who I am."), 1.0);
    assert_eq!(asked("?").coverage("any"), 0.0);
}

#[test]
fn what_means_the_same_covers_a_word_and_a_part_of_it_does_not() {
    let question = asked_with(
        "wfh => working from home\npto, annual leave",
        "Is wfh possible in annual leave?",
    );
    assert_eq!(
        question.coverage("Working from home is possible in your annual leave."),
        1.0
    );
    assert_eq!(question.coverage("PTO"), 0.5);
    assert_eq!(question.coverage("Work at home."), 0.0);
    assert_eq!(question.coverage("A leave."), 0.25);
}

#[test]
fn what_must_not_be_there_is_not_asked_for() {
    let clause = |text: &str, occurrence| WordClause {
        text: text.to_owned(),
        occurrence,
        ..WordClause::default()
    };
    let query = WordQuery {
        clauses: vec![
            clause("parental leave", lectern_domain::Occurrence::Must),
            clause("unpaid", lectern_domain::Occurrence::MustNot),
        ],
        ..WordQuery::default()
    };
    assert_eq!(AskedWords::of(&query).coverage("Parental leave."), 1.0);
}

fn confidence(nearness: Nearness, coverage: f32) -> Confidence {
    let evidence = Evidence {
        nearness,
        coverage,
        has_content: true,
    };
    evidence.confidence()
}

#[test]
fn more_evidence_never_means_less_confidence() {
    let steps = (0..=20).map(|step| step as f32 / 20.0);
    let mut before = Confidence::Low;
    for step in steps {
        let now = confidence(Nearness::Cosine(step), step);
        assert!(now >= before);
        before = now;
    }
    assert_eq!(before, Confidence::VeryHigh);
}

#[test]
fn a_near_miss_without_a_common_word_is_low() {
    assert_eq!(confidence(Nearness::Cosine(0.40), 0.0), Confidence::Low);
    assert_eq!(confidence(Nearness::Cosine(0.40), 0.5), Confidence::Medium);
    assert_eq!(confidence(Nearness::Cosine(0.1), 0.8), Confidence::Low);
    assert_eq!(confidence(Nearness::Cosine(0.0), 1.0), Confidence::Medium);
    assert_eq!(confidence(Nearness::Unasked, 0.3), Confidence::Low);
}

#[test]
fn what_vectors_did_not_find_may_be_meant_where_it_has_nearly_all_words_and_is_never_sure() {
    assert_eq!(confidence(Nearness::Beyond(0.05), 1.0), Confidence::Medium);
    assert_eq!(confidence(Nearness::Beyond(0.25), 0.8), Confidence::Low);
    assert_eq!(confidence(Nearness::Beyond(-1.0), 0.8), Confidence::Low);
    assert_eq!(confidence(Nearness::Beyond(0.95), 1.0), Confidence::Medium);
}

#[test]
fn what_has_all_function_words_of_a_question_without_others_is_not_taken_for_its_answer() {
    let of = |question: &str| Evidence::of(&asked(question), "What is it? A crane.", Nearness::Beyond(0.1));
    assert_eq!(of("what is it?").coverage, 1.0);
    assert_eq!(of("what is it?").confidence(), Confidence::Low);
    assert_eq!(of("what is a crane?").confidence(), Confidence::Medium);
    assert_eq!(of("?").confidence(), Confidence::Low);
}

/// Questions that share words with texts and with synonyms.
fn any_words() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["pto", "annual", "leave", "harbour", "is", "crane"]),
        0..7,
    )
    .prop_map(|words| words.join(" "))
}

fn any_nearness() -> impl Strategy<Value = Nearness> {
    prop_oneof![
        Just(Nearness::Unasked),
        (-1.0_f32..=1.0).prop_map(Nearness::Cosine),
        (-1.0_f32..=1.0).prop_map(Nearness::Beyond),
    ]
}

proptest! {
    #[test]
    fn coverage_is_a_share_and_a_question_covers_itself(question in any_words(), text in any_words()) {
        let covered = asked(&question).coverage(&text);
        prop_assert!((0.0..=1.0).contains(&covered));
        let with_question = format!("{text} {question}");
        prop_assert_eq!(asked(&question).coverage(&with_question), f32::from(!question.is_empty()));
    }

    #[test]
    fn more_text_never_covers_less(question in any_words(), text in any_words(), more in any_words()) {
        let question = asked_with("pto, annual leave\ncrane => harbour", &question);
        let longer = format!("{text} {more}");
        prop_assert!(question.coverage(&longer) >= question.coverage(&text));
    }

    #[test]
    fn a_synonym_never_takes_from_what_is_covered(question in any_words(), text in any_words()) {
        let with = asked_with("pto, annual leave\ncrane => harbour", &question);
        prop_assert!(with.coverage(&text) >= asked(&question).coverage(&text));
    }

    #[test]
    fn more_coverage_never_means_less_confidence(
        nearness in any_nearness(),
        one in 0.0_f32..=1.0,
        other in 0.0_f32..=1.0,
    ) {
        prop_assert!(confidence(nearness, one.max(other)) >= confidence(nearness, one.min(other)));
    }

    #[test]
    fn what_vectors_did_not_find_is_no_surer_than_the_last_that_they_did(
        last in 0.0_f32..=1.0,
        coverage in 0.0_f32..=1.0,
    ) {
        let beyond = confidence(Nearness::Beyond(last), coverage);
        prop_assert!(beyond <= Confidence::Medium);
        prop_assert!(beyond <= confidence(Nearness::Cosine(last), coverage));
    }
}
