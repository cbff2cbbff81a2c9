//! Parameters of addresses that open something for whoever has them.

/// Their names in lower case: signed addresses of buckets, tokens, passwords.
const SECRET_PARAMETERS: [&str; 19] = [
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth_token",
    "awsaccesskeyid",
    "client_secret",
    "id_token",
    "passwd",
    "password",
    "private_token",
    "refresh_token",
    "secret",
    "sig",
    "signature",
    "token",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-signature",
];

/// Whether a query, which is what stands behind the `?` of an address, has a parameter that opens something, and a value of it.
pub fn opens_something(query: &str) -> bool {
    query.split(['&', ';', '#']).any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        !value.is_empty() && SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_or_a_signature_with_a_value_opens_something() {
        for query in [
            "access_token=4711",
            "page=2&X-Amz-Credential=A&X-Amz-Signature=4711",
            "a=1;Token=4711",
            "sig=4711#top",
        ] {
            assert!(opens_something(query), "{query}");
        }
        for query in ["", "token", "token=&page=2", "q=token", "page_token=2", "a=b=sig"] {
            assert!(!opens_something(query), "{query}");
        }
    }
}
