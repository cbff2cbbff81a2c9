//! How Lectern calls itself to sites.

/// How Lectern calls itself, with the word that `robots.txt` knows it by.
pub(super) fn user_agent(contact: Option<&str>) -> Result<String, &'static str> {
    const NAME: &str = concat!("Lectern/", env!("CARGO_PKG_VERSION"));
    let Some(contact) = contact else {
        return Ok(format!("{NAME} (knowledge base)"));
    };
    let is_plain = |character: char| character.is_ascii_graphic() && !matches!(character, '(' | ')' | '\\');
    match !contact.is_empty() && contact.len() <= 200 && contact.chars().all(is_plain) {
        true => Ok(format!("{NAME} (knowledge base; +{contact})")),
        false => Err("it is an address of mail or of a page, without spaces and brackets"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_names_lectern_and_whom_to_ask() {
        let own = user_agent(None).unwrap();
        assert!(
            own.to_ascii_lowercase().starts_with(crate::robots::PRODUCT),
            "{own}"
        );
        let told = user_agent(Some("ada@example.com")).unwrap();
        assert!(told.contains("+ada@example.com"), "{told}");
        for wrong in ["", "a b", "a\r\nX: y", "a)"] {
            assert!(user_agent(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
