//! What is shown to the hosts of the seeds: read from its place for each request, as a header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lectern_connector_remote::Secret;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::config::Auth;
use crate::error::Error;

/// The header that shows the secret.
pub(crate) fn header(auth: &Auth) -> Result<(HeaderName, HeaderValue), Error> {
    let (name, value) = match auth {
        Auth::Basic { user, password } => {
            if user.contains(':') {
                return Err(invalid("a name of Basic authentication has no `:`"));
            }
            let pair = STANDARD.encode(format!("{user}:{}", read(password)?));
            (AUTHORIZATION, format!("Basic {pair}"))
        }
        Auth::Bearer { token } => (AUTHORIZATION, format!("Bearer {}", read(token)?)),
        Auth::Header { name, value } => {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| invalid("its name is none of a header"))?;
            (name, read(value)?)
        }
    };
    let value = HeaderValue::from_str(&value);
    let mut value = value.map_err(|_| invalid("the secret has characters that no header has"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn invalid(problem: &str) -> Error {
    Error::SettingInvalid {
        setting: "auth",
        problem: problem.to_owned(),
    }
}

fn read(place: &Secret) -> Result<String, Error> {
    place.read().map_err(|missing| Error::SecretMissing {
        place: missing.place,
        problem: missing.problem,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_its_file_and_is_never_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, " hunter2\n").unwrap();
        let place = || Secret::File(file.clone());
        for (auth, expected) in [
            (
                Auth::Basic {
                    user: "ada".to_owned(),
                    password: place(),
                },
                "Basic YWRhOmh1bnRlcjI=",
            ),
            (Auth::Bearer { token: place() }, "Bearer hunter2"),
            (
                Auth::Header {
                    name: "X-Key".to_owned(),
                    value: place(),
                },
                "hunter2",
            ),
        ] {
            let (name, value) = header(&auth).unwrap();
            assert_eq!(value.as_bytes(), expected.as_bytes());
            assert!(!format!("{name:?} {value:?} {auth:?}").contains("hunter2"));
        }
        std::fs::write(&file, "hunt\ner2").unwrap();
        let error = header(&Auth::Bearer { token: place() }).unwrap_err();
        assert_eq!(error.code(), "web_setting_invalid");
        assert!(!error.to_string().contains("hunt"), "{error}");
        for place in [
            Secret::File("/no/such/file".into()),
            Secret::File("relative".into()),
            Secret::Variable("LECTERN_NO_SUCH_VARIABLE".to_owned()),
        ] {
            let error = header(&Auth::Bearer { token: place }).unwrap_err();
            assert_eq!(error.code(), "credentials_missing");
        }
    }
}
