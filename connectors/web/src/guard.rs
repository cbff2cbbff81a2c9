//! Which machines may be asked: those with public addresses, and those that the configuration names.
//!
//! The way of a request: an address in the place of a name is looked at before anything is sent ([`Guard::check`]); a name is
//! resolved by [`Resolver`], which hands the HTTP client nothing but addresses that passed. The client connects to these and to
//! no others, so that a name which resolves otherwise a moment later gains nothing. A redirect is a request like any other.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::Error;

/// The addresses of a name.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names.
pub trait Lookup: Send + Sync {
    /// The addresses of a name, as they are now.
    fn lookup(&self, name: &str) -> Found;
}

/// The operating system.
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, name: &str) -> Found {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The hosts that may be in a private network.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Arc<BTreeSet<String>>,
}

/// That a name has no address that may be asked.
#[derive(Debug)]
pub(crate) struct Forbidden {
    pub(crate) host: String,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} has no public address", self.host)
    }
}

impl std::error::Error for Forbidden {}

impl Guard {
    /// Names and addresses as the configuration has them.
    pub(crate) fn new(allowed: &[String]) -> Result<Self, Error> {
        let invalid = |problem: &str| Error::SettingInvalid {
            setting: "allow_private_hosts",
            problem: problem.to_owned(),
        };
        let hosts = allowed.iter().map(|written| {
            // An IPv6 address may stand without its brackets.
            let host = match written.parse::<Ipv6Addr>() {
                Ok(address) => format!("[{address}]"),
                Err(_) => written.clone(),
            };
            let host =
                Host::parse(host.trim_end_matches('.')).map_err(|_| invalid("it has what is no host"))?;
            Ok(host.to_string())
        });
        Ok(Self {
            allowed: Arc::new(hosts.collect::<Result<_, Error>>()?),
        })
    }

    /// Looks at the host of an address, where it is no name. Names are looked at when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Error> {
        let address = match url.host() {
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            None => None,
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        if address.is_some_and(is_public) || self.allowed.contains(&host) {
            return Ok(());
        }
        Err(Error::AddressForbidden { host })
    }

    fn admits(&self, name: &str, address: IpAddr) -> bool {
        is_public(address) || self.allowed.contains(name.trim_end_matches('.'))
    }
}

/// The resolver of the HTTP client.
pub(crate) struct Resolver {
    pub(crate) guard: Guard,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let guard = self.guard.clone();
        let found = self.lookup.lookup(&name);
        Box::pin(async move {
            let mut addresses = found.await?;
            addresses.retain(|&address| guard.admits(&name, address));
            if addresses.is_empty() {
                return Err(Forbidden { host: name }.into());
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            let addresses: Addrs = Box::new(addresses);
            Ok(addresses)
        })
    }
}

/// Whether an address is of the internet at large: none of those that the IANA registries of special addresses (RFC 6890 and
/// its updates) keep from it, and none that leads to one of these.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
            // No special address of the internet: Azure's own services are there, for each of its machines.
            | [168, 63, 129, 16]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        // IPv4 within IPv6: mapped, by NAT64, by 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(embedded(high, low))
        }
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo, benchmarks, ORCHID and the rest of what the IETF keeps.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only this block is given out.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn only_addresses_of_the_internet_at_large_are_public() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "::127.0.0.1",
            "fd00:ec2::254",
            "64:ff9b::a00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860:4860::8888",
            "2002:808:808::1",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_in_whatever_spelling_is_looked_at() {
        let guard = Guard::new(&[
            "10.0.0.7".to_owned(),
            "fd00::7".to_owned(),
            "Intranet.".to_owned(),
        ])
        .unwrap();
        for (url, is_allowed) in [
            ("http://2130706433/", false),
            ("http://0x7f000001/", false),
            ("http://0177.0.0.1/", false),
            ("http://127.1/", false),
            ("http://[::ffff:7f00:1]/", false),
            ("http://169.254.169.254/latest/meta-data/", false),
            ("http://0/", false),
            ("http://127.0.0.1./", false),
            ("http://%31%32%37.0.0.1/", false),
            ("http://\u{ff11}27.0.0.1/", false),
            ("http://127\u{3002}0\u{3002}0\u{3002}1/", false),
            ("http://[::ffff:0:127.0.0.1]/", false),
            ("http://[64:ff9b::127.0.0.1]/", false),
            ("http://[2002:7f00:1::]/", false),
            ("http://100.100.100.200/", false),
            ("http://user@127.0.0.1:80/", false),
            ("http://10.0.0.7/", true),
            ("http://10.0.0.8/", false),
            ("http://[fd00::7]:8080/", true),
            ("http://[fd00::8]/", false),
            ("http://8.8.8.8/", true),
            ("http://name.example/", true),
        ] {
            assert_eq!(
                guard.check(&Url::parse(url).unwrap()).is_ok(),
                is_allowed,
                "{url}"
            );
        }
        assert!(guard.admits("intranet", Ipv4Addr::LOCALHOST.into()));
        assert!(!guard.admits("intranet.example", Ipv4Addr::LOCALHOST.into()));
        assert!(Guard::new(&["a b".to_owned()]).is_err());
    }

    struct Answers(Vec<IpAddr>);

    impl Lookup for Answers {
        fn lookup(&self, _name: &str) -> Found {
            let answers = self.0.clone();
            Box::pin(async move { Ok(answers) })
        }
    }

    #[tokio::test]
    async fn a_name_leads_to_none_but_public_addresses() {
        let resolver = |answers: &[&str]| Resolver {
            guard: Guard::new(&["inside.example".to_owned()]).unwrap(),
            lookup: Arc::new(Answers(
                answers.iter().map(|text| text.parse().unwrap()).collect(),
            )),
        };
        let mixed = resolver(&["127.0.0.1", "8.8.8.8", "::1"]);
        let found: Vec<SocketAddr> = mixed
            .resolve("public.example".parse().unwrap())
            .await
            .unwrap()
            .collect();
        assert_eq!(found, ["8.8.8.8:0".parse().unwrap()]);
        let private = resolver(&["127.0.0.1", "::ffff:10.0.0.1"]);
        let refused = private
            .resolve("public.example".parse().unwrap())
            .await
            .err()
            .unwrap();
        assert!(refused.downcast_ref::<Forbidden>().is_some());
        let refused = private.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.downcast_ref::<Forbidden>().is_some());
        let allowed = private.resolve("INSIDE.example".parse().unwrap()).await.unwrap();
        assert_eq!(allowed.count(), 2);
    }

    /// A name that leads to a public address first, and into the network of whoever asks then.
    struct Rebinding(AtomicUsize);

    impl Lookup for Rebinding {
        fn lookup(&self, _name: &str) -> Found {
            let is_first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            let answer = if is_first { [8, 8, 8, 8] } else { [127, 0, 0, 1] };
            Box::pin(async move { Ok(vec![IpAddr::from(answer)]) })
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_at_whenever_it_is_resolved() {
        let resolver = Resolver {
            guard: Guard::new(&[]).unwrap(),
            lookup: Arc::new(Rebinding(AtomicUsize::new(0))),
        };
        let resolve = || resolver.resolve("public.example".parse().unwrap());
        assert!(resolve().await.is_ok());
        let refused = resolve().await.err().unwrap();
        assert!(refused.downcast_ref::<Forbidden>().is_some());
    }
}
