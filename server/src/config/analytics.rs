//! `[analytics]`: whether it is kept what people ask and open, for how long, and with whose name.

use chrono::TimeDelta;
use lectern_domain::PortError;
use serde::{Deserialize, Serialize};

use super::invalid;

/// The longest time that can be set, in days: ten years.
const MOST_DAYS: u32 = 3_650;

/// Whether it is kept what people ask and open, for how long, and with whose name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalyticsConfig {
    /// Whether anything new is kept. Default: yes.
    pub enabled: bool,
    /// How many days a search is kept; 0 keeps nothing, and erases what is there. Default 90.
    pub keep_days: u32,
    /// Whether the name of who asks is left out. Default: no.
    pub anonymous: bool,
}

impl Default for AnalyticsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            keep_days: 90,
            anonymous: false,
        }
    }
}

impl AnalyticsConfig {
    /// Whether anything new is kept.
    pub fn keeps_anything(&self) -> bool {
        self.enabled && self.keep_days > 0
    }

    /// How long a search is kept.
    pub fn keep_for(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.keep_days))
    }

    pub(super) fn check(&self) -> Result<(), PortError> {
        if self.keep_days > MOST_DAYS {
            return Err(invalid(format!(
                "[analytics] keep_days is {}, and must be 0 to {MOST_DAYS}",
                self.keep_days
            )));
        }
        Ok(())
    }
}
