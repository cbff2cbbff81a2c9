//! `[server]`: where the server listens and who may talk to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lectern_domain::PortError;
use serde::{Deserialize, Serialize};

use super::{Secret, invalid};

/// Where the server listens and who may talk to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address to listen on. Anything but a loopback address needs a token. Default `127.0.0.1`.
    pub address: IpAddr,
    /// The port to listen on; 0 takes a free one. Default 8080.
    pub port: u16,
    /// A file whose first line is the token that every API call must carry. Default: none.
    pub token_file: Option<PathBuf>,
    /// The token itself, usually from `LECTERN_API_TOKEN`. Default: none.
    pub api_token: Option<Secret>,
    /// Host names under which the server may be addressed, besides the loopback ones. A request
    /// with another `Host` is refused, so that a foreign page can't reach the server through a
    /// name of its own (DNS rebinding). Default: none.
    pub host_names: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            token_file: None,
            api_token: None,
            host_names: Vec::new(),
        }
    }
}

impl ServerConfig {
    /// Address and port together.
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// The token that API calls must carry, from the environment or from `token_file`, if one is set.
    ///
    /// Fails where the file can't be read or holds nothing.
    pub fn token(&self) -> Result<Option<Secret>, PortError> {
        if let Some(token) = &self.api_token {
            if token.reveal().trim().is_empty() {
                return Err(invalid(
                    "LECTERN_API_TOKEN or [server] api_token is set, and empty".to_owned(),
                ));
            }
            return Ok(Some(token.clone()));
        }
        let Some(file) = &self.token_file else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            invalid(format!("can't read [server] token_file {}", file.display())).caused_by(error)
        })?;
        match text.lines().next().map(str::trim) {
            Some(token) if !token.is_empty() => Ok(Some(Secret::new(token))),
            _ => Err(invalid(format!(
                "[server] token_file {} has no token in its first line",
                file.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_from_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, " abc \nnot this\n").unwrap();
        let config = ServerConfig {
            token_file: Some(file.clone()),
            ..ServerConfig::default()
        };
        assert_eq!(config.token().unwrap().unwrap().reveal(), "abc");

        std::fs::write(&file, "\n").unwrap();
        assert_eq!(config.token().unwrap_err().code, "config_invalid");
        assert!(ServerConfig::default().token().unwrap().is_none());
    }
}
