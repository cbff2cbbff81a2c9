//! How what is asked of a search, and what it gives, look in the API's description.
//!
//! The same once more of what `lectern-domain` and `lectern-retrieval` serialise themselves, as in [`super::schema`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{AclSchema, PassageSchema, SpanSchema, SpannedTextSchema};

/// A value of an attribute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AttributeValue)]
pub enum AttributeSchema {
    /// A number.
    Number(f64),
    /// A text, or a date in RFC 3339 form.
    Text(String),
    /// Several texts.
    TextList(Vec<String>),
}

/// A condition on the attributes of a document. A condition about an attribute that a document hasn't got is false, and
/// `not` makes it true.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Filter, no_recursion, example = json!({"and": [
    {"equals": {"attribute": "source", "value": "handbook"}},
    {"range": {"attribute": "modified", "at_least": "2026-01-01"}}
]}))]
pub enum FilterSchema {
    /// All of them hold.
    And(Vec<FilterSchema>),
    /// One of them holds.
    Or(Vec<FilterSchema>),
    /// It doesn't hold.
    Not(Box<FilterSchema>),
    /// The attribute is the value, or is a list that has it. Texts are compared letter by letter.
    Equals(ComparisonSchema),
    /// The attribute is one of the values, or is a list that has one.
    In(OneOfSchema),
    /// The number or date lies between bounds.
    Range(RangeSchema),
    /// The text, or one of a list, begins with this, letter by letter.
    StartsWith(TextPartSchema),
    /// The text, or one of a list, has this in it, whatever its case.
    Contains(TextPartSchema),
    /// The document has the attribute.
    Exists(AttributeNameSchema),
}

/// An attribute and what it is compared with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FilterComparison)]
pub struct ComparisonSchema {
    /// Its name.
    pub attribute: String,
    /// A text, a number or a date in RFC 3339 form.
    pub value: AttributeSchema,
}

/// An attribute and the values that it may have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FilterOneOf)]
pub struct OneOfSchema {
    /// Its name.
    pub attribute: String,
    /// Texts, numbers or dates.
    pub values: Vec<AttributeSchema>,
}

/// An attribute and its bounds: numbers, or dates.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FilterRange)]
pub struct RangeSchema {
    /// Its name.
    pub attribute: String,
    /// Greater than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<AttributeSchema>,
    /// Greater than this or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<AttributeSchema>,
    /// Less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<AttributeSchema>,
    /// Less than this or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<AttributeSchema>,
}

/// An attribute and a part of its text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FilterTextPart)]
pub struct TextPartSchema {
    /// Its name.
    pub attribute: String,
    /// Not empty.
    pub text: String,
}

/// An attribute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FilterAttribute)]
pub struct AttributeNameSchema {
    /// Its name.
    pub attribute: String,
}

/// An attribute whose values are counted, in documents.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FacetRequest)]
pub struct FacetRequestSchema {
    /// Its name.
    pub attribute: String,
    /// The most values that are given, 1 to 1,000.
    #[schema(minimum = 1, maximum = 1000)]
    pub limit: usize,
}

/// The values of an attribute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Facet)]
pub struct FacetSchema {
    /// Its name.
    pub attribute: String,
    /// The most frequent first.
    #[schema(inline)]
    pub values: Vec<FacetValueSchema>,
    /// How many values there are beside those.
    pub other_values: u64,
}

/// A value of an attribute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FacetValue)]
pub struct FacetValueSchema {
    /// A text (one of a list), a number or a date.
    pub value: AttributeSchema,
    /// How many documents have it.
    pub documents: u64,
}

/// An attribute that results are put in order by. Documents without it come last.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SortKey)]
pub struct SortKeySchema {
    /// Its name.
    pub attribute: String,
    /// Whether the greatest comes first.
    #[serde(default)]
    pub descending: bool,
}

/// A passage that was found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Hit)]
pub struct HitSchema {
    /// What is read and cited.
    #[serde(flatten)]
    pub passage: PassageSchema,
    /// What is known about its document.
    pub attributes: BTreeMap<String, AttributeSchema>,
    /// Where the words that were looked for stand in its text, in bytes of the passage, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub highlights: Vec<SpanSchema>,
    /// Where they stand in its title.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub title_highlights: Vec<SpanSchema>,
    /// Passages that say nearly the same, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<PassageSchema>,
    /// Further passages of its document, best first, where `expand` was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<PassageSchema>,
    /// The chunks before and after it, in the order of the document, where `neighbours` were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub context: Vec<SpannedTextSchema>,
    /// How it came to its place. Absent unless `explain` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ExplanationSchema>,
}

/// How a passage came to its place. Ranks count from 1 among what the caller may read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Explanation)]
pub struct ExplanationSchema {
    /// Its rank in the index of words; absent where that didn't find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words_rank: Option<usize>,
    /// Its rank in the index of vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors_rank: Option<usize>,
    /// Its score after the two lists were merged, 0 to 1.
    pub fused: f32,
    /// What the tuning multiplied that by.
    pub tuning: f32,
    /// The judgement of the reranker, 0 to 1, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reranked: Option<f32>,
    /// The cosine of its vector to the question's, where the index of vectors found it; of a model whose cosines are
    /// never low, stretched to 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f32>,
    /// The share of the question's words of content that it contains.
    pub coverage: f32,
    /// Whether there was a filter, which its document passed.
    pub filtered: bool,
}

/// Where the time of a search went, in milliseconds. The two indexes are asked at the same time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SearchTimings)]
pub struct TimingsSchema {
    /// Making the question's vector.
    pub embed_ms: f64,
    /// Asking the index of vectors.
    pub vectors_ms: f64,
    /// Asking the index of words.
    pub words_ms: f64,
    /// Looking the chunks up in the ledger, with their texts.
    pub recheck_ms: f64,
    /// Judging them again, and putting them in order.
    pub rerank_ms: f64,
    /// Counting facets, marking words, and whatever else is given beside passages.
    pub beside_ms: f64,
    /// All of it.
    pub total_ms: f64,
}

/// What answers a question: words of one of the passages, or an answer that somebody wrote for it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Answered)]
pub enum AnsweredSchema {
    /// Words of a passage.
    Passage {
        /// Which one, from 0.
        passage: usize,
        /// Where they stand in its text, in bytes of the passage.
        #[schema(inline)]
        span: SpanSchema,
        /// The words.
        text: String,
    },
    /// An answer that was written for this question.
    Frequent {
        /// The question as it was written.
        question: String,
        /// Its answer.
        text: String,
        /// Where more is said of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
    },
}

/// How the question may have been meant.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Spelling)]
pub struct SpellingSchema {
    /// The whole question, corrected.
    pub text: String,
    /// What was corrected in it.
    #[schema(inline)]
    pub corrections: Vec<CorrectionSchema>,
}

/// A word that no document has, and one that some have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Correction)]
pub struct CorrectionSchema {
    /// Where the word begins in the question, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What stands there.
    pub word: String,
    /// What may have been meant.
    pub corrected: String,
}

/// What a suggestion is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SuggestionKind)]
pub enum SuggestionKindSchema {
    /// The title of a document.
    Title,
    /// Words that stand together in documents.
    Phrase,
    /// What the same person asked before.
    Query,
}

/// A completion of what was typed so far.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Suggestion)]
pub struct SuggestionSchema {
    /// `title` of a document, `phrase` of several texts, or `query`: what the caller asked before.
    #[schema(inline)]
    pub kind: SuggestionKindSchema,
    /// What to search for.
    pub text: String,
    /// Where it begins like what was typed, in bytes of `text`.
    #[schema(inline)]
    pub highlights: Vec<SpanSchema>,
}

/// How matches are weighed against each other. The factor of a rule is `1 + weight * signal` over the largest there can
/// be, with a signal from 0 to 1.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tuning)]
pub struct TuningSchema {
    /// Newer documents before older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub freshness: Option<FreshnessSchema>,
    /// Documents with a greater number before those with a smaller one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub numbers: Vec<NumberBoostSchema>,
    /// Documents with a value before those without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(inline)]
    pub values: Vec<ValueBoostSchema>,
    /// How much a word counts by where it stands; as built in where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub fields: Option<FieldWeightsSchema>,
}

/// Newer before older: the signal halves with every `half_life_days` of age.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Freshness)]
pub struct FreshnessSchema {
    /// The name of a date; `modified` where it isn't said.
    #[serde(default)]
    pub attribute: String,
    /// More than 0.
    pub half_life_days: f64,
    /// From 0 to 10.
    pub weight: f32,
}

/// Greater before smaller: the signal of a number is `number / (number + half)`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NumberBoost)]
pub struct NumberBoostSchema {
    /// The name of a number.
    pub attribute: String,
    /// The number whose signal is a half. More than 0.
    pub half: f64,
    /// From 0 to 10.
    pub weight: f32,
}

/// The signal is 1 for documents that have the value, or have it in a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ValueBoost)]
pub struct ValueBoostSchema {
    /// The name of a text or a list of texts.
    pub attribute: String,
    /// The value, letter by letter.
    pub value: String,
    /// From 0 to 10.
    pub weight: f32,
}

/// How much a word counts by where it stands, each from 0 to 10.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FieldWeights)]
pub struct FieldWeightsSchema {
    /// In the title.
    pub title: f32,
    /// In a heading.
    pub headings: f32,
    /// In the text.
    pub text: f32,
}

/// The settings of searches in a knowledge base.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SearchSettings)]
pub struct SearchSettingsSchema {
    /// Words that mean the same, in Solr's form: a line of `a, b, c` for words that stand for each other, or of
    /// `a, b => c` for those that stand for others.
    #[schema(example = "parental leave, maternity leave\nwfh => working from home")]
    pub synonyms: String,
    /// How matches are weighed.
    pub tuning: TuningSchema,
    /// Documents that come first for a question.
    #[schema(inline)]
    pub featured: Vec<FeaturedSchema>,
    /// Questions that have an answer already.
    #[schema(inline)]
    pub questions: Vec<FrequentQuestionSchema>,
}

/// Documents that are shown above all others for some questions.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Featured)]
pub struct FeaturedSchema {
    /// The questions, in any case and with any spaces.
    pub queries: Vec<String>,
    /// The addresses (`uri`) or paths of the documents, in the order in which they are shown.
    pub documents: Vec<String>,
}

/// A question with its answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FrequentQuestion)]
pub struct FrequentQuestionSchema {
    /// Ways to ask it.
    pub questions: Vec<String>,
    /// The answer, as it is shown.
    pub answer: String,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Who may read it; everyone who may search where it isn't said.
    pub readers: AclSchema,
}

#[cfg(test)]
mod tests {
    use lectern_domain::{Filter, SearchSettings, Tuning};
    use lectern_retrieval::{Answered, Explanation, SearchTimings, Spelling, Suggestion};
    use serde::de::DeserializeOwned;

    use super::*;

    /// What `Value` reads and writes is what `Schema` reads and writes.
    fn agree<Value: Serialize + DeserializeOwned, Schema: Serialize + DeserializeOwned>(json: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        let described: Schema = serde_json::from_str(json).unwrap();
        let sent = serde_json::to_value(value).unwrap();
        assert_eq!(serde_json::to_value(described).unwrap(), sent, "{json}");
    }

    #[test]
    fn the_description_says_what_is_read_and_sent() {
        for filter in [
            r#"{"and":[{"equals":{"attribute":"a","value":"b"}},{"or":[]},{"not":{"exists":{"attribute":"a"}}}]}"#,
            r#"{"in":{"attribute":"a","values":["b",1.5,"2026-01-01T00:00:00Z"]}}"#,
            r#"{"range":{"attribute":"a","above":1.0,"at_most":"2026-01-01T00:00:00Z"}}"#,
            r#"{"starts_with":{"attribute":"a","text":"b"}}"#,
            r#"{"contains":{"attribute":"a","text":"b"}}"#,
        ] {
            agree::<Filter, FilterSchema>(filter);
        }
        agree::<Tuning, TuningSchema>(
            r#"{"freshness":{"attribute":"modified","half_life_days":90.0,"weight":1.0},
                "numbers":[{"attribute":"a","half":2.0,"weight":0.5}],
                "values":[{"attribute":"a","value":"b","weight":2.0}],
                "fields":{"title":1.0,"headings":0.5,"text":1.0}}"#,
        );
        agree::<SearchSettings, SearchSettingsSchema>(
            r#"{"synonyms":"a, b","tuning":{},"featured":[{"queries":["a"],"documents":["b"]}],
                "questions":[{"questions":["a"],"answer":"b","uri":"c","readers":{"allow":["everyone"]}}]}"#,
        );
        agree::<Explanation, ExplanationSchema>(
            r#"{"words_rank":1,"vectors_rank":2,"fused":0.5,"tuning":1.0,"reranked":0.25,"cosine":0.5,
                "coverage":1.0,"filtered":false}"#,
        );
        agree::<Answered, AnsweredSchema>(
            r#"{"kind":"passage","passage":0,"span":{"start":0,"end":1},"text":"a"}"#,
        );
        agree::<Answered, AnsweredSchema>(r#"{"kind":"frequent","question":"a","text":"b","uri":"c"}"#);
        agree::<Spelling, SpellingSchema>(
            r#"{"text":"leave","corrections":[{"start":0,"end":5,"word":"leeve","corrected":"leave"}]}"#,
        );
        for kind in ["title", "phrase", "query"] {
            agree::<Suggestion, SuggestionSchema>(&format!(
                r#"{{"kind":"{kind}","text":"a","highlights":[{{"start":0,"end":1}}]}}"#
            ));
        }
        agree::<SearchTimings, TimingsSchema>(&serde_json::to_string(&SearchTimings::default()).unwrap());
    }
}
