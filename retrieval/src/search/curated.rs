//! What those who run a knowledge base say about searches in it, prepared once and not at every search.
//!
//! The ledger gives the same [`Arc`] of settings until they are set anew. By that it is told whether what was prepared
//! is still what is set: the settings themselves are never compared.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_domain::{FrequentQuestion, KnowledgeBaseId, PortError, ReadScope, SearchSettings, Tuning};

use super::beside::Answered;
use super::{Searcher, plain};
use crate::bases::blocking;
use crate::confidence::QuestionWords;
use crate::synonyms::Synonyms;

/// The most knowledge bases whose settings are kept prepared; the longest unused go first.
const MOST_KEPT: usize = 64;

/// The settings of a knowledge base, ready to be looked up.
pub(super) struct Curated {
    settings: Arc<SearchSettings>,
    synonyms: Synonyms,
    /// By the plain words of a question: the featured sets for it, by their places in the settings.
    featured: HashMap<String, Vec<usize>>,
    /// The words of content of each way to ask a question, with the places of the question and of the way.
    questions: Vec<(QuestionWords, usize, usize)>,
}

impl fmt::Debug for Curated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Curated")
            .field("synonyms", &self.synonyms.len())
            .field("featured", &self.featured.len())
            .field("questions", &self.questions.len())
            .finish_non_exhaustive()
    }
}

impl From<Arc<SearchSettings>> for Curated {
    fn from(settings: Arc<SearchSettings>) -> Self {
        let mut featured: HashMap<String, Vec<usize>> = HashMap::new();
        for (set, one) in settings.featured.iter().enumerate() {
            for query in &one.queries {
                let sets = featured.entry(plain(query)).or_default();
                if sets.last() != Some(&set) {
                    sets.push(set);
                }
            }
        }
        let mut questions = Vec::new();
        for (question, one) in settings.questions.iter().enumerate() {
            let ways = one.questions.iter().enumerate();
            questions.extend(ways.map(|(way, text)| (QuestionWords::of(text), question, way)));
        }
        Self {
            // What is kept was checked when it was set.
            synonyms: Synonyms::parse(&settings.synonyms).unwrap_or_default(),
            featured,
            questions,
            settings,
        }
    }
}

impl Curated {
    /// Words that mean the same.
    pub(super) fn synonyms(&self) -> &Synonyms {
        &self.synonyms
    }

    /// How matches are weighed.
    pub(super) fn tuning(&self) -> &Tuning {
        &self.settings.tuning
    }

    /// The names of the documents that come first for a question, in the order of the settings.
    pub(super) fn featured(&self, question: &str) -> Vec<String> {
        let sets = self.featured.get(&plain(question)).into_iter().flatten();
        let sets = sets.filter_map(|set| self.settings.featured.get(*set));
        sets.flat_map(|set| set.documents.iter().cloned()).collect()
    }

    /// The answer that somebody wrote for this question, if the reader may read it. A question is the same that has
    /// the same words of content.
    pub(super) fn answer(&self, scope: &ReadScope, question: &str) -> Option<Answered> {
        // Most knowledge bases have none, and the words of a question cost something.
        if self.questions.is_empty() {
            return None;
        }
        let asked = QuestionWords::of(question);
        if asked.is_empty() {
            return None;
        }
        let meant = self.questions.iter().filter(|(words, ..)| *words == asked);
        meant
            .filter_map(|(_, question, way)| self.way(*question, *way))
            .find_map(|(frequent, way)| {
                scope.may_read(&frequent.readers).then(|| Answered::Frequent {
                    question: way.clone(),
                    text: frequent.answer.clone(),
                    uri: frequent.uri.clone(),
                })
            })
    }

    fn way(&self, question: usize, way: usize) -> Option<(&FrequentQuestion, &String)> {
        let frequent = self.settings.questions.get(question)?;
        Some((frequent, frequent.questions.get(way)?))
    }
}

/// What was prepared, by knowledge base.
#[derive(Debug, Default)]
pub(super) struct CuratedBases(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_base: HashMap<KnowledgeBaseId, (u64, Arc<Curated>)>,
    clock: u64,
}

impl CuratedBases {
    /// What was prepared of exactly these settings.
    fn get(&self, base: KnowledgeBaseId, settings: &Arc<SearchSettings>) -> Option<Arc<Curated>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (used, curated) = kept.by_base.get_mut(&base)?;
        *used = now;
        Arc::ptr_eq(&curated.settings, settings).then(|| Arc::clone(curated))
    }

    fn keep(&self, base: KnowledgeBaseId, curated: &Arc<Curated>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        kept.by_base.insert(base, (now, Arc::clone(curated)));
        while kept.by_base.len() > MOST_KEPT {
            let longest_unused = kept.by_base.iter().min_by_key(|(_, (used, _))| *used);
            let Some(base) = longest_unused.map(|(base, _)| *base) else {
                break;
            };
            kept.by_base.remove(&base);
        }
    }
}

impl Searcher {
    /// What is set for a knowledge base now. Where that was set since the last search, preparing it may take a while,
    /// so it is done on a thread that may wait.
    pub(super) async fn curated(&self, base: KnowledgeBaseId) -> Result<Arc<Curated>, PortError> {
        let settings = self.parts.ledger.search_settings(base).await?;
        if let Some(curated) = self.curated.get(base, &settings) {
            return Ok(curated);
        }
        let curated = blocking("prepare the settings of searches", move || {
            Ok(Arc::new(Curated::from(settings)))
        });
        let curated = curated.await?;
        self.curated.keep(base, &curated);
        Ok(curated)
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::Principal;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test asks as several readers")]
    fn reader(name: &str) -> ReadScope {
        ReadScope::granted_by_authentication([Principal::User(name.into())])
    }

    fn curated(json: &str) -> Curated {
        Curated::from(Arc::new(serde_json::from_str::<SearchSettings>(json).unwrap()))
    }

    #[test]
    fn featured_documents_come_in_the_order_of_their_sets_and_each_set_once() {
        let curated = curated(
            r#"{"featured":[{"queries":["Leave?","leave"],"documents":["a","b"]},
                            {"queries":["canteen"],"documents":["c"]},
                            {"queries":["canteen","LEAVE"],"documents":["d","a"]}]}"#,
        );
        assert_eq!(curated.featured(" leave "), ["a", "b", "d", "a"]);
        assert_eq!(curated.featured("Canteen!"), ["c", "d", "a"]);
        assert!(curated.featured("leave it").is_empty());
    }

    #[test]
    fn the_first_answer_that_may_be_read_is_given_with_the_way_it_was_asked() {
        let curated = curated(
            r#"{"questions":[{"questions":["Who runs the canteen?"],"answer":"Secret.","readers":{"allow":["user:ada"]}},
                             {"questions":["Where is it?","Who is running the canteen?"],"answer":"Bo.","uri":"x"}]}"#,
        );
        let answer = |name: &str, question: &str| match curated.answer(&reader(name), question) {
            Some(Answered::Frequent { question, text, uri }) => Some((question, text, uri)),
            _ => None,
        };
        let given = |question: &str, text: &str, uri: Option<&str>| {
            Some((question.to_owned(), text.to_owned(), uri.map(str::to_owned)))
        };
        assert_eq!(
            answer("ada", "who runs the canteen"),
            given("Who runs the canteen?", "Secret.", None)
        );
        assert_eq!(
            answer("bo", "canteen runs who"),
            given("Who is running the canteen?", "Bo.", Some("x"))
        );
        assert_eq!(answer("ada", "who cleans the canteen"), None);
        assert_eq!(answer("ada", "?"), None);
    }

    #[test]
    fn settings_are_prepared_once_until_they_are_set_anew() {
        let (bases, base) = (CuratedBases::default(), KnowledgeBaseId::generate());
        let settings = Arc::new(SearchSettings::default());
        assert!(bases.get(base, &settings).is_none());
        let curated = Arc::new(Curated::from(Arc::clone(&settings)));
        bases.keep(base, &curated);
        let again = bases.get(base, &settings).unwrap();
        assert!(Arc::ptr_eq(&again, &curated));
        let set_anew = Arc::new(SearchSettings::default());
        assert!(bases.get(base, &set_anew).is_none(), "equal, and set anew");
        assert!(bases.get(KnowledgeBaseId::generate(), &settings).is_none());
    }

    #[test]
    fn the_longest_unused_is_forgotten() {
        let bases = CuratedBases::default();
        let settings = Arc::new(SearchSettings::default());
        let curated = Arc::new(Curated::from(Arc::clone(&settings)));
        let ids: Vec<KnowledgeBaseId> = (0..=MOST_KEPT).map(|_| KnowledgeBaseId::generate()).collect();
        let (first, second) = (ids[0], ids[1]);
        for base in &ids[..MOST_KEPT] {
            bases.keep(*base, &curated);
        }
        assert!(bases.get(first, &settings).is_some());
        bases.keep(ids[MOST_KEPT], &curated);
        assert!(bases.get(first, &settings).is_some(), "it was used since");
        assert!(bases.get(second, &settings).is_none());
    }
}
