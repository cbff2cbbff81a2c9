//! The addresses of a bucket and of its objects.

use reqwest::Url;

use crate::error::Error;
use crate::key::path_of;

/// Where a bucket is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// With the bucket, in the path or in the host, and without a `/` at the end.
    base: String,
}

impl Endpoint {
    /// The address of a bucket at `endpoint`, or at Amazon's where there is none.
    pub(crate) fn new(
        endpoint: Option<&str>,
        bucket: &str,
        region: &str,
        virtual_hosted: bool,
        allow_http: bool,
    ) -> Result<Self, Error> {
        let invalid = |problem: &str| Error::SettingInvalid {
            setting: "endpoint",
            problem: problem.to_owned(),
        };
        let amazon = || {
            let suffix = if region.starts_with("cn-") {
                "com.cn"
            } else {
                "com"
            };
            format!("https://s3.{region}.amazonaws.{suffix}")
        };
        let url = endpoint.map_or_else(amazon, str::to_owned);
        let url: Url = url
            .parse()
            .map_err(|_| invalid("it is no address such as https://minio.example:9000"))?;
        match url.scheme() {
            "https" => {}
            "http" if allow_http => {}
            "http" => return Err(invalid("it is not encrypted; \"allow_http\": true permits that")),
            _ => return Err(invalid("it begins with neither https:// nor http://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "it has a user or a password in it; say where they are with \"credentials\"",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a query or a fragment"));
        }
        let host = url.host_str().ok_or_else(|| invalid("it has no host"))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let path = url.path().trim_end_matches('/');
        let scheme = url.scheme();
        let base = match virtual_hosted {
            true => format!("{scheme}://{bucket}.{host}{port}{path}"),
            false => format!("{scheme}://{host}{port}{path}/{bucket}"),
        };
        Ok(Self { base })
    }

    /// The address that listings are asked of.
    pub(crate) fn bucket_url(&self) -> String {
        // A host alone is followed by `/` when it is signed.
        match self.base.splitn(4, '/').nth(3) {
            Some(_) => self.base.clone(),
            None => format!("{}/", self.base),
        }
    }

    /// The address of an object.
    pub(crate) fn object_url(&self, name: &str) -> String {
        format!("{}/{}", self.base, path_of(name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn endpoint(endpoint: Option<&str>, region: &str, virtual_hosted: bool) -> Result<Endpoint, Error> {
        Endpoint::new(endpoint, "docs", region, virtual_hosted, false)
    }

    #[test]
    fn a_bucket_is_in_the_path_or_in_the_host() {
        for (given, region, virtual_hosted, listing, object) in [
            (
                None,
                "eu-north-1",
                false,
                "https://s3.eu-north-1.amazonaws.com/docs",
                "/a%20b//c",
            ),
            (
                None,
                "cn-north-1",
                true,
                "https://docs.s3.cn-north-1.amazonaws.com.cn/",
                "a%20b//c",
            ),
            (
                Some("https://m.example:9000/"),
                "x",
                false,
                "https://m.example:9000/docs",
                "/a%20b//c",
            ),
            (
                Some("https://m.example/s3/"),
                "x",
                true,
                "https://docs.m.example/s3",
                "/a%20b//c",
            ),
        ] {
            let endpoint = endpoint(given, region, virtual_hosted).unwrap();
            assert_eq!(endpoint.bucket_url(), listing);
            assert_eq!(endpoint.object_url("a b//c"), format!("{listing}{object}"));
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_and_not_repeated() {
        for wrong in [
            "minio",
            "ftp://a",
            "http://a",
            "https://user:hunter2@a",
            "https://a?x=hunter2",
            "https://a#b",
        ] {
            let error = endpoint(Some(wrong), "x", false).unwrap_err();
            assert_eq!(error.code(), "bucket_setting_invalid", "{wrong}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
