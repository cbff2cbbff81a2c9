//! The secret that a caller shows.

use std::fmt;

/// The shortest token that is accepted, in bytes. 32 hexadecimal digits are 128 bits.
const SHORTEST_BYTES: usize = 32;

/// The server's token, kept as a hash: it can be compared, and not be printed.
#[derive(Clone)]
pub struct ApiToken(blake3::Hash);

/// A text that can't be a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Too short to be a secret.
    #[error(
        "the API token has {0} bytes, and at least {SHORTEST_BYTES} are needed: `openssl rand -hex 32` makes one"
    )]
    TooShort(usize),
    /// It couldn't be sent in a header.
    #[error("the API token has characters other than visible ASCII")]
    NotVisible,
}

impl ApiToken {
    /// The token that a file or an environment variable holds; white space around it doesn't count.
    pub fn from_text(text: &str) -> Result<Self, TokenError> {
        let token = text.trim();
        if token.len() < SHORTEST_BYTES {
            return Err(TokenError::TooShort(token.len()));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::NotVisible);
        }
        Ok(Self(blake3::hash(token.as_bytes())))
    }

    /// Whether `shown` is the token. Takes the same time wherever the two differ: the hashes are
    /// compared, and `blake3::Hash` compares in constant time.
    pub fn matches(&self, shown: &str) -> bool {
        self.0 == blake3::hash(shown.as_bytes())
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_matches_itself_alone_and_is_never_printed() {
        let token = ApiToken::from_text(&format!("{TEXT}\n")).unwrap();
        assert!(token.matches(TEXT));
        assert!(!token.matches(&TEXT[1..]));
        assert!(!token.matches(""));
        assert!(!format!("{token:?}").contains(&TEXT[..8]));
    }

    #[test]
    fn a_short_or_unsendable_token_is_refused() {
        assert!(matches!(
            ApiToken::from_text("  secret "),
            Err(TokenError::TooShort(6))
        ));
        let spaced = "0123456789abcdef 0123456789abcdef";
        assert!(matches!(ApiToken::from_text(spaced), Err(TokenError::NotVisible)));
    }
}
