//! The promises of an answer, with exact words.

use futures::FutureExt;
use lectern_domain::{
    ChunkId, Confidence, DocumentId, ErrorKind, KnowledgeBaseId, Score, SourceId, TextSpan, Version,
};
use tokio::sync::Semaphore;

use super::*;
use crate::admission::AdmissionSettings;
use crate::engine::ScriptedGenerator;

/// A passage called `title` that says `text`.
pub(crate) fn test_passage(title: &str, text: &str) -> Passage {
    let source = SourceId::derive(KnowledgeBaseId::generate(), "test");
    let document = DocumentId::derive(source, title);
    Passage {
        chunk: ChunkId::derive(document, Version::FIRST, 0),
        document,
        version: Version::FIRST,
        title: title.to_owned(),
        uri: format!("file:///{title}"),
        heading_path: Vec::new(),
        page: None,
        span: TextSpan {
            start: 0,
            end: text.len(),
        },
        text: text.to_owned(),
        table_header: None,
        parent: None,
        score: Score::clamped(0.5),
        confidence: Confidence::High,
    }
}

fn answerer(generator: ScriptedGenerator, admission: &Admission) -> Answerer {
    Answerer::new(AnswererParts {
        generator: Arc::new(generator),
        embedder: None,
        admission: admission.clone(),
        settings: AnswerSettings::default(),
    })
}

fn passages() -> Vec<Passage> {
    vec![
        test_passage("Leave", "Parental leave is 20 weeks."),
        test_passage("Canteen", "Lunch and leave tokens cost 5 euros."),
    ]
}

async fn events_of(words: &[&str]) -> Vec<AnswerEvent> {
    let admission = Admission::new(AdmissionSettings::default());
    let answerer = answerer(ScriptedGenerator::new(words.iter().copied()), &admission);
    let stream = answerer
        .answer("How long is parental leave?", passages(), true)
        .await
        .unwrap();
    let events = stream.map(Result::unwrap).collect().await;
    assert_eq!(admission.inside(), 0);
    events
}

fn streamed(events: &[AnswerEvent]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            AnswerEvent::Token { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn end_of(events: &[AnswerEvent]) -> (&str, Vec<u32>, AnswerOutcome) {
    match events.last() {
        Some(AnswerEvent::Done {
            text,
            citations,
            outcome,
            ..
        }) => (
            text,
            citations.iter().map(|citation| citation.number).collect(),
            *outcome,
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sources_come_first_then_the_words_then_what_was_cited() {
    let events = events_of(&["It is", " 20 weeks [", "1", "]."]).await;
    let AnswerEvent::Sources { sources } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        sources.iter().map(|source| source.number).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(streamed(&events), "It is 20 weeks [1].");
    assert_eq!(
        end_of(&events),
        ("It is 20 weeks [1].", vec![1], AnswerOutcome::Answered)
    );
}

#[tokio::test]
async fn a_number_that_was_not_handed_over_never_reaches_the_reader() {
    let events = events_of(&["It is 20 weeks [", "7", "] and", " more [1, 9]."]).await;
    assert_eq!(streamed(&events), "It is 20 weeks and more [1].");
    assert_eq!(end_of(&events).1, [1]);
}

#[tokio::test]
async fn an_answer_without_citation_gets_the_source_it_comes_from() {
    let events = events_of(&["Parental leave", " is 20 weeks."]).await;
    assert_eq!(streamed(&events), "Parental leave is 20 weeks. [1]");
    assert_eq!(end_of(&events).1, [1]);
}

#[test]
fn a_sentence_that_cites_the_neighbour_gets_its_own_source() {
    let excerpt = |number, text: &str| Excerpt {
        number,
        label: String::new(),
        text: text.to_owned(),
    };
    let excerpts = [
        excerpt(1, "Parental leave is 20 weeks."),
        excerpt(2, "Lunch tokens cost 5 euros."),
    ];
    let mut text = AnswerText::new(&excerpts);
    let mut seen = String::new();
    for token in [
        "Parental leave is 20 weeks. [2] Lunch",
        " tokens cost 5 euros [2][",
        "1]. Sleep well [2].",
    ] {
        seen.push_str(&text.push(token));
    }
    seen.push_str(&text.finish());
    assert_eq!(
        seen,
        "Parental leave is 20 weeks. [1] Lunch tokens cost 5 euros [2]. Sleep well [2]."
    );
    assert_eq!(seen, text.shown);
    assert_eq!(text.cited, BTreeSet::from([1, 2]));
}

#[tokio::test]
async fn without_anything_relevant_no_generator_is_asked() {
    let admission = Admission::new(AdmissionSettings {
        running: 1,
        waiting: 0,
    });
    let _taken = admission.enter().unwrap();
    for (passages, relevant) in [(passages(), false), (Vec::new(), true)] {
        let answerer = answerer(ScriptedGenerator::new(["never"]), &admission);
        let events: Vec<_> = answerer
            .answer("Why?", passages, relevant)
            .await
            .unwrap()
            .map(Result::unwrap)
            .collect()
            .await;
        assert_eq!(events.len(), 3);
        assert_eq!(streamed(&events), DONT_KNOW);
        assert_eq!(end_of(&events), (DONT_KNOW, vec![], AnswerOutcome::NothingFound));
    }
}

#[tokio::test]
async fn a_model_that_goes_in_circles_is_stopped() {
    let words: Vec<&str> = std::iter::repeat_n("It is 20 weeks. ", 150).collect();
    let events = events_of(&words).await;
    assert_eq!(end_of(&events).2, AnswerOutcome::Truncated);
    assert!(streamed(&events).len() < 100);
}

#[tokio::test]
async fn the_limit_of_tokens_is_told() {
    let words: Vec<String> = (0..500).map(|number| format!("w{number} ")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let events = events_of(&words).await;
    assert_eq!(end_of(&events).2, AnswerOutcome::Truncated);
    assert!(streamed(&events).ends_with("w199"));
}

#[tokio::test]
async fn a_bad_question_is_refused_before_anything_else() {
    let admission = Admission::new(AdmissionSettings::default());
    let answerer = answerer(ScriptedGenerator::new(["never"]), &admission);
    let refusal = async |question: &str| match answerer.answer(question, passages(), true).await {
        Ok(_) => panic!("{question:.20} was answered"),
        Err(error) => (error.code, error.kind),
    };
    assert_eq!(refusal(" \n").await, ("question_empty", ErrorKind::Invalid));
    assert_eq!(
        refusal(&"why ".repeat(600_000)).await,
        ("question_too_long", ErrorKind::TooLarge)
    );
}

#[tokio::test]
async fn a_full_line_refuses_at_once_and_a_reader_who_leaves_makes_room() {
    let admission = Admission::new(AdmissionSettings {
        running: 1,
        waiting: 0,
    });
    let pace = Arc::new(Semaphore::new(1));
    let slow = answerer(
        ScriptedGenerator::new(["one ", "two ", "three"]).paced_by(Arc::clone(&pace)),
        &admission,
    );
    let mut stream = slow.answer("How long is leave?", passages(), true).await.unwrap();
    assert!(matches!(
        stream.next().await,
        Some(Ok(AnswerEvent::Sources { .. }))
    ));
    assert!(matches!(stream.next().await, Some(Ok(AnswerEvent::Token { .. }))));

    let refusal = slow
        .answer("How long is leave?", passages(), true)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        (refusal.code, refusal.kind),
        ("generator_busy", ErrorKind::Overloaded)
    );

    drop(stream);
    while admission.inside() > 0 {
        tokio::task::yield_now().await;
    }
    pace.add_permits(3);
    let stream = slow.answer("How long is leave?", passages(), true).await.unwrap();
    assert_eq!(stream.count().await, 5);
}

#[tokio::test]
async fn sources_are_shown_while_the_answer_waits_for_its_turn() {
    let admission = Admission::new(AdmissionSettings {
        running: 1,
        waiting: 1,
    });
    let _running = admission.enter().unwrap().turn().await.unwrap();
    let waiting = answerer(ScriptedGenerator::new(["one"]), &admission);
    let mut stream = waiting
        .answer("How long is leave?", passages(), true)
        .await
        .unwrap();
    assert!(matches!(
        stream.next().await,
        Some(Ok(AnswerEvent::Sources { .. }))
    ));
    tokio::task::yield_now().await;
    assert!(stream.next().now_or_never().is_none());
}
