//! Looking at settings of searches before they are kept, wherever they come from.

use lectern_domain::{ErrorKind, PortError, SearchSettings};
use lectern_retrieval::Synonyms;

/// Looks at settings before they are kept.
///
/// # Errors
/// `settings_invalid`, or `synonyms_invalid` with the line.
pub fn check(settings: &SearchSettings) -> Result<(), PortError> {
    let invalid = |code, message: String| PortError::new(ErrorKind::Invalid, code, message);
    settings
        .check()
        .map_err(|error| invalid("settings_invalid", error.to_string()))?;
    Synonyms::parse(&settings.synonyms).map_err(|error| invalid("synonyms_invalid", error.to_string()))?;
    Ok(())
}
