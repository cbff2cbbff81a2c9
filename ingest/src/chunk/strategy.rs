//! How a source's documents are cut: five strategies, each with its sizes.
//!
//! [`Chunking`] is what a person sets for a source and what the ledger keeps with it, as JSON such as
//! `{"strategy": "fixed", "max_tokens": 200, "overlap_tokens": 40}`; a size that is left out has its default.
//! [`Chunking::check`] says what is wrong with it, before a document is cut by it; the chunker itself holds
//! whatever it gets within the embedder's limit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A chunk must have room for a title and a sentence.
const LEAST_TOKENS: u32 = 32;
/// A parent is read by a generator: a larger one costs minutes on a CPU.
const MOST_PARENT_TOKENS: u32 = 4_096;
const PERCENTILES: std::ops::RangeInclusive<u8> = 50..=99;

/// How the documents of a source are cut. Sizes are in the embedder's tokens, with the title path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case", deny_unknown_fields)]
pub enum Chunking {
    /// By headings and paragraphs; tables and listings stay whole where they fit. The default.
    Structural {
        /// The most tokens of a chunk. Default: what the server is set to (`[ingestion] chunk_tokens`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_tokens: Option<u32>,
    },
    /// Pieces of one size, whatever the structure; each begins with the end of the one before it.
    Fixed {
        /// The most tokens of a chunk.
        #[serde(default = "default_max_tokens")]
        max_tokens: u32,
        /// The most tokens that two neighbours share, at most half of `max_tokens`.
        #[serde(default = "default_overlap_tokens")]
        overlap_tokens: u32,
    },
    /// Small pieces are found, and the generator reads the larger piece around them.
    Hierarchical {
        /// The most tokens of a piece that is found.
        #[serde(default = "default_child_tokens")]
        child_tokens: u32,
        /// The most tokens of the piece around it, without the title path.
        #[serde(default = "default_parent_tokens")]
        parent_tokens: u32,
    },
    /// Cut where the meaning changes: between sentences whose vectors differ most. Embeds every sentence
    /// once more, so it takes about twice as long.
    Semantic {
        /// The most tokens of a chunk.
        #[serde(default = "default_max_tokens")]
        max_tokens: u32,
        /// A document is cut between neighbours that differ more than this percentage of its neighbours do.
        #[serde(default = "default_percentile")]
        percentile: u8,
    },
    /// A document is one chunk, however long. Its text beyond what the embedder reads is found by its words
    /// alone. For documents that were cut before.
    None {},
}

impl Default for Chunking {
    fn default() -> Self {
        Self::Structural { max_tokens: None }
    }
}

/// As it is given on a command line: `fixed,max_tokens=200,overlap_tokens=40`.
impl fmt::Display for Chunking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        match self {
            Self::Structural { max_tokens: None } | Self::None {} => Ok(()),
            Self::Structural {
                max_tokens: Some(max_tokens),
            } => write!(formatter, ",max_tokens={max_tokens}"),
            Self::Fixed {
                max_tokens,
                overlap_tokens,
            } => write!(
                formatter,
                ",max_tokens={max_tokens},overlap_tokens={overlap_tokens}"
            ),
            Self::Hierarchical {
                child_tokens,
                parent_tokens,
            } => write!(
                formatter,
                ",child_tokens={child_tokens},parent_tokens={parent_tokens}"
            ),
            Self::Semantic {
                max_tokens,
                percentile,
            } => write!(formatter, ",max_tokens={max_tokens},percentile={percentile}"),
        }
    }
}

fn default_max_tokens() -> u32 {
    256
}

fn default_overlap_tokens() -> u32 {
    48
}

fn default_child_tokens() -> u32 {
    128
}

fn default_parent_tokens() -> u32 {
    512
}

fn default_percentile() -> u8 {
    90
}

impl Chunking {
    /// The names of the strategies, as they are written.
    pub const STRATEGIES: [&str; 5] = ["structural", "fixed", "hierarchical", "semantic", "none"];

    /// The name, as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Structural { .. } => "structural",
            Self::Fixed { .. } => "fixed",
            Self::Hierarchical { .. } => "hierarchical",
            Self::Semantic { .. } => "semantic",
            Self::None {} => "none",
        }
    }

    /// The strategy of that name with its default sizes, held to `limit` tokens. `None` for another name.
    pub fn named(name: &str, limit: usize) -> Option<Self> {
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        Some(match name {
            "structural" => Self::default(),
            "fixed" => Self::Fixed {
                max_tokens: default_max_tokens().min(most),
                overlap_tokens: default_overlap_tokens().min(most / 2),
            },
            "hierarchical" => Self::Hierarchical {
                child_tokens: default_child_tokens().min(most),
                parent_tokens: default_parent_tokens(),
            },
            "semantic" => Self::Semantic {
                max_tokens: default_max_tokens().min(most),
                percentile: default_percentile(),
            },
            "none" => Self::None {},
            _ => return None,
        })
    }

    /// Whether documents can be cut this way by an embedder that reads `limit` tokens
    /// ([`super::ChunkSettings::max_tokens`]).
    ///
    /// # Errors
    /// [`Error::Chunking`] names the size that is wrong and what it may be.
    pub fn check(&self, limit: usize) -> Result<()> {
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        match *self {
            Self::Structural { max_tokens: None } | Self::None {} => Ok(()),
            Self::Structural {
                max_tokens: Some(max_tokens),
            } => self.within("max_tokens", max_tokens, LEAST_TOKENS, most),
            Self::Fixed {
                max_tokens,
                overlap_tokens,
            } => {
                self.within("max_tokens", max_tokens, LEAST_TOKENS, most)?;
                self.within("overlap_tokens", overlap_tokens, 0, max_tokens / 2)
            }
            Self::Hierarchical {
                child_tokens,
                parent_tokens,
            } => {
                self.within("child_tokens", child_tokens, LEAST_TOKENS, most)?;
                self.within("parent_tokens", parent_tokens, child_tokens, MOST_PARENT_TOKENS)
            }
            Self::Semantic {
                max_tokens,
                percentile,
            } => {
                self.within("max_tokens", max_tokens, LEAST_TOKENS, most)?;
                let (low, high) = (*PERCENTILES.start(), *PERCENTILES.end());
                self.within("percentile", percentile.into(), low.into(), high.into())
            }
        }
    }

    fn within(&self, setting: &'static str, value: u32, least: u32, most: u32) -> Result<()> {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(Error::Chunking {
            strategy: self.name(),
            setting,
            value,
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_reads_back_and_missing_sizes_have_their_defaults() {
        for name in Chunking::STRATEGIES {
            let short: Chunking = serde_json::from_str(&format!("{{\"strategy\":\"{name}\"}}")).unwrap();
            assert_eq!(Chunking::named(name, 256), Some(short));
            assert_eq!(short.name(), name);
            short.check(256).unwrap();
            let written = serde_json::to_string(&short).unwrap();
            assert_eq!(serde_json::from_str::<Chunking>(&written).unwrap(), short);
        }
        assert_eq!(Chunking::named("clever", 256), None);
        let fixed: Chunking =
            serde_json::from_str(r#"{"strategy":"fixed","max_tokens":100,"overlap_tokens":0}"#).unwrap();
        assert_eq!(
            fixed,
            Chunking::Fixed {
                max_tokens: 100,
                overlap_tokens: 0
            }
        );
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for wrong in [
            r#"{"strategy":"clever"}"#,
            r#"{"strategy":"none","max_tokens":9}"#,
            r#"{"strategy":"structural","overlap_tokens":9}"#,
            r#"{"max_tokens":9}"#,
        ] {
            assert!(serde_json::from_str::<Chunking>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_out_of_bounds_is_named_with_its_bounds() {
        let wrong = Chunking::Structural {
            max_tokens: Some(900),
        };
        assert_eq!(
            wrong.check(256).unwrap_err().to_string(),
            "structural chunking with max_tokens = 900 is not possible: it must be 32 to 256"
        );
        for wrong in [
            Chunking::Fixed {
                max_tokens: 100,
                overlap_tokens: 51,
            },
            Chunking::Hierarchical {
                child_tokens: 128,
                parent_tokens: 100,
            },
            Chunking::Semantic {
                max_tokens: 200,
                percentile: 100,
            },
        ] {
            wrong.check(256).unwrap_err();
        }
    }
}
