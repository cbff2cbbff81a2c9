//! Rules, checked and ready, and the way of one document through them.

use std::collections::HashSet;

use lectern_domain::attribute::names;
use lectern_domain::{AttributeValue, Attributes, Extracted};
use serde::Serialize;

use super::action::{Deed, Effect, redacted};
use super::condition::{FailedCondition, Test, tests};
use super::error::{Problem, RuleError};
use super::facts::{DocumentFacts, Subject};
use super::language;
use super::redact::{Exposed, Redaction, apply_all};
use super::rules::{Enrichment, Rule};

/// As many as Amazon Kendra allows.
const MAX_RULES: usize = 100;
const MAX_CONDITIONS: usize = 20;
const MAX_ACTIONS: usize = 50;
const MAX_NAME_CHARACTERS: usize = 200;

/// The rules of a source, ready to be applied to any number of documents.
#[derive(Clone, Debug, Default)]
pub struct Enricher {
    rules: Vec<ReadyRule>,
}

#[derive(Clone, Debug)]
struct ReadyRule {
    name: String,
    tests: Vec<Test>,
    deeds: Vec<Deed>,
}

/// A document as the rules left it.
#[derive(Clone, Debug)]
pub struct Enriched {
    /// The title.
    pub title: String,
    /// What the file and the source say of it, the source's word first, as the rules changed it; with `language`, where
    /// that could be told.
    pub attributes: Attributes,
    /// Those of the file alone, with `language`, where there are no rules: then what the source says of the document
    /// can change without it. Rules may redact, so with them there is nothing here.
    pub file_attributes: Option<Attributes>,
    /// The text with its blocks.
    pub extracted: Extracted,
    /// Whether it is taken in.
    pub verdict: Verdict,
    /// What each rule did, in the order of the rules.
    pub trace: Vec<RuleTrace>,
}

/// Whether a document is taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "rule")]
pub enum Verdict {
    /// It is.
    Kept,
    /// The rule of this name dropped it.
    Dropped(String),
    /// What the rule of this name redacts is found again in what is left, however often it is redacted.
    NotRedacted(String),
}

/// What a rule did with a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleTrace {
    /// The rule's name.
    pub rule: String,
    /// The first condition that didn't hold; `None` where the rule was applied.
    pub failed: Option<FailedCondition>,
    /// What its actions did.
    pub effects: Vec<Effect>,
}

impl Enricher {
    /// Checks the rules and makes them ready. Costs a compilation of each regular expression.
    pub fn new(enrichment: &Enrichment) -> Result<Self, RuleError> {
        if enrichment.rules.len() > MAX_RULES {
            return Err(RuleError::TooManyRules {
                count: enrichment.rules.len(),
                limit: MAX_RULES,
            });
        }
        let mut known = HashSet::new();
        let mut rules = Vec::with_capacity(enrichment.rules.len());
        for (index, rule) in enrichment.rules.iter().enumerate() {
            let length = rule.name.chars().count();
            if rule.name.trim().is_empty() || length > MAX_NAME_CHARACTERS {
                return Err(RuleError::NoName { number: index + 1 });
            }
            if !known.insert(rule.name.as_str()) {
                return Err(RuleError::NameTwice {
                    name: rule.name.clone(),
                });
            }
            rules.push(ReadyRule::new(rule).map_err(|problem| RuleError::Rule {
                rule: rule.name.clone(),
                problem,
            })?);
        }
        Ok(Self { rules })
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule looks at the attribute `name`.
    pub fn reads(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| {
            let tested = rule.tests.iter().map(Test::attribute);
            let read = rule.deeds.iter().filter_map(Deed::reads);
            tested.chain(read).any(|read| read == name)
        })
    }

    /// Takes a document through the rules.
    ///
    /// `title` is the source's, or the document's own, or its file's name; `attributes` are the source's. Those of the
    /// file come from `extracted` and stand behind them. After a drop, no further rule is applied. What any applied
    /// rule redacts is redacted once more at the end, so that no later rule brings it back.
    pub fn apply(
        &self,
        facts: DocumentFacts,
        title: String,
        attributes: Attributes,
        mut extracted: Extracted,
    ) -> Enriched {
        let mut all = std::mem::take(&mut extracted.attributes);
        let is_stated = attributes.contains_key(names::LANGUAGE) || all.contains_key(names::LANGUAGE);
        if !is_stated && let Some(language) = language::detect(&extracted) {
            let value = AttributeValue::Text(language.to_owned());
            all.insert(names::LANGUAGE.to_owned(), value);
        }
        let file_attributes = self.is_empty().then(|| all.clone());
        all.extend(attributes);
        let mut subject = Subject {
            facts,
            title,
            attributes: all,
            extracted,
        };
        let mut trace = Vec::with_capacity(self.rules.len());
        let mut redactions: Vec<(&str, &Redaction)> = Vec::new();
        let mut verdict = Verdict::Kept;
        for rule in &self.rules {
            let traced = rule.apply(&mut subject, &mut redactions, &mut verdict);
            trace.push(traced);
            if verdict != Verdict::Kept {
                break;
            }
        }
        if verdict == Verdict::Kept
            && let (Some((rule, _)), None) = (redactions.last(), redact(&redactions, &mut subject))
        {
            verdict = Verdict::NotRedacted((*rule).to_owned());
        }
        Enriched {
            title: subject.title,
            attributes: subject.attributes,
            file_attributes,
            extracted: subject.extracted,
            verdict,
            trace,
        }
    }
}

fn redact(redactions: &[(&str, &Redaction)], subject: &mut Subject) -> Option<super::redact::Replaced> {
    let redactions: Vec<&Redaction> = redactions.iter().map(|(_, redaction)| *redaction).collect();
    let mut exposed = Exposed {
        title: &mut subject.title,
        attributes: &mut subject.attributes,
        extracted: &mut subject.extracted,
    };
    apply_all(&redactions, &mut exposed)
}

impl ReadyRule {
    fn new(rule: &Rule) -> Result<Self, Problem> {
        let bounded = |what, count, limit| match count <= limit {
            true => Ok(()),
            false => Err(Problem::TooMany { what, count, limit }),
        };
        bounded("conditions", rule.when.len(), MAX_CONDITIONS)?;
        bounded("actions", rule.actions.len(), MAX_ACTIONS)?;
        if rule.actions.is_empty() {
            return Err(Problem::NoAction);
        }
        let mut all_tests = Vec::new();
        for condition in &rule.when {
            super::action::check_name(&condition.attribute)?;
            all_tests.extend(tests(condition)?);
        }
        Ok(Self {
            name: rule.name.clone(),
            tests: all_tests,
            deeds: rule.actions.iter().map(Deed::new).collect::<Result<_, _>>()?,
        })
    }

    fn apply<'a>(
        &'a self,
        subject: &mut Subject,
        redactions: &mut Vec<(&'a str, &'a Redaction)>,
        verdict: &mut Verdict,
    ) -> RuleTrace {
        let failed = self.tests.iter().find_map(|test| test.failure(subject));
        let mut effects = Vec::new();
        if failed.is_none() {
            for deed in &self.deeds {
                let effect = match deed {
                    Deed::Redact { name, redaction } => {
                        redactions.push((&self.name, redaction));
                        let replaced = redact(&[(&self.name, redaction)], subject);
                        if replaced.is_none() {
                            *verdict = Verdict::NotRedacted(self.name.clone());
                        }
                        redacted(name, replaced.unwrap_or_default())
                    }
                    Deed::Drop => {
                        *verdict = Verdict::Dropped(self.name.clone());
                        Effect::Dropped
                    }
                    deed => deed.change(subject),
                };
                effects.push(effect);
                if *verdict != Verdict::Kept {
                    break;
                }
            }
        }
        RuleTrace {
            rule: self.name.clone(),
            failed,
            effects,
        }
    }
}
