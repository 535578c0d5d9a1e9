//! Where a request may never go: cloud metadata services and link-local addresses.
//!
//! These hand out credentials to whoever asks from inside. An address is looked at after the name
//! has been resolved, for every connection, so that a name that changes its address helps nobody.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Names of metadata services, which inside a cloud resolve to what is refused anyway.
const NAMES: &[&str] =
    &["metadata.google.internal", "metadata.goog", "metadata", "instance-data.ec2.internal"];

/// Metadata services outside the link-local ranges: Alibaba, Azure, Oracle.
const METADATA_V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same by IPv6: AWS and Google.
const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Whether an address is one to which nothing is ever sent.
fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || METADATA_V4.contains(&address),
        IpAddr::V6(address) => {
            let [first, ..] = address.segments();
            let octets = address.octets();
            let holds_refused = |from: usize| {
                let inner = octets.get(from..from + 4).and_then(|inner| inner.try_into().ok());
                inner.is_some_and(|inner: [u8; 4]| is_refused(Ipv4Addr::from(inner).into()))
            };
            // Mapped (::ffff:0:0/96), compatible (::/96) and NAT64 (64:ff9b::/96) addresses end in
            // an IPv4 address; 6to4 (2002::/16) holds it further in front.
            let ends_in_v4 = matches!(
                address.segments(),
                [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..]
            );
            (first & 0xffc0) == 0xfe80
                || METADATA_V6.contains(&address)
                || (ends_in_v4 && holds_refused(12))
                || (first == 0x2002 && holds_refused(2))
        }
    }
}

/// Whether an address of a plan names a place to which nothing is ever sent; names are looked at
/// again once they are resolved.
///
/// # Errors
/// What is refused, for a message.
pub(super) fn check_destination(base_url: &str) -> Result<(), String> {
    // The URL parser turns every spelling of an address (decimal, octal, hexadecimal) into one.
    let Ok(url) = Url::parse(base_url) else {
        return Err(format!("`{base_url}` is not an address"));
    };
    let Some(host) = url.host_str() else { return Err("it names no host".to_owned()) };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let refused = match bare.parse::<IpAddr>() {
        Ok(address) => is_refused(address),
        Err(_) => NAMES.contains(&bare.trim_end_matches('.').to_lowercase().as_str()),
    };
    if refused { Err(refusal(bare)) } else { Ok(()) }
}

fn refusal(what: &str) -> String {
    format!("{what} is a cloud metadata service or link-local address")
}

/// Whether an address is on this machine or in a private network.
pub(super) fn is_private(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => {
            let [first, ..] = address.segments();
            address.is_loopback() || (first & 0xfe00) == 0xfc00
        }
        // A name without a dot, or under a suffix that no public name has, is one of the inside.
        Err(_) => {
            !bare.contains('.')
                || [".local", ".internal", ".localhost", ".svc"]
                    .iter()
                    .any(|suffix| bare.ends_with(suffix))
        }
    }
}

/// Looks up the addresses of a name.
type LookUp = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>
        + Send
        + Sync,
>;

async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// A resolver that gives out no refused address, and remembers that it was asked for one.
#[derive(Clone)]
pub(super) struct Guard {
    look_up: LookUp,
    refused: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Guard")
    }
}

impl Guard {
    /// A guard of the system's own resolver.
    pub(super) fn new() -> Self {
        Guard::of(Arc::new(|name| Box::pin(look_up(name))))
    }

    fn of(look_up: LookUp) -> Self {
        Guard { look_up, refused: Arc::default() }
    }

    /// What was refused, if anything was.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn addresses(self, name: String) -> Result<Vec<SocketAddr>, io::Error> {
        let addresses = (self.look_up)(name.clone()).await?;
        if let Some(address) = addresses.iter().find(|address| is_refused(address.ip())) {
            let reason = format!("{name}: {}", refusal(&address.ip().to_string()));
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            *refused = Some(reason.clone());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(addresses)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Addrs = Box::new(addresses.await?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_refused_in_every_spelling() {
        for url in [
            "http://169.254.169.254/v1",
            "http://169.254.170.2/",
            "http://2852039166/v1",
            "http://0xA9FEA9FE/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::]/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://metadata.google.internal/v1",
            "http://METADATA.google.internal./v1",
        ] {
            assert!(check_destination(url).is_err(), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080/v1",
            "https://api.openai.com/v1",
            "http://10.0.0.7/v1",
            "http://[::1]:8080/",
            "http://[fd00::7]/",
            "http://metadata.example.com/",
        ] {
            assert_eq!(check_destination(url), Ok(()), "{url}");
        }
    }

    fn guard(answers: &'static [&'static [&'static str]]) -> Guard {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        Guard::of(Arc::new(move |_| {
            let turn = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let answer = answers[turn.min(answers.len() - 1)];
            let addresses: Vec<SocketAddr> =
                answer.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect();
            Box::pin(async move { Ok(addresses) })
        }))
    }

    #[tokio::test]
    async fn a_name_is_refused_as_soon_as_any_of_its_addresses_is() {
        let good = guard(&[&["93.184.216.34"]]);
        assert_eq!(good.clone().addresses("x".into()).await.unwrap().len(), 1);
        assert_eq!(good.refused(), None);
        let mixed = guard(&[&["93.184.216.34", "169.254.169.254"]]);
        assert!(mixed.clone().addresses("x".into()).await.is_err());
        assert!(mixed.refused().unwrap().contains("169.254.169.254"));
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_is_looked_at_every_time() {
        let rebinding = guard(&[&["93.184.216.34"], &["::ffff:169.254.169.254"]]);
        assert!(rebinding.clone().addresses("x".into()).await.is_ok());
        assert!(rebinding.clone().addresses("x".into()).await.is_err());
    }

    #[test]
    fn private_networks_are_told_from_public_ones() {
        for host in ["127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.9", "localhost", "vllm", "x.svc"]
        {
            assert!(is_private(host), "{host}");
        }
        for host in ["8.8.8.8", "api.openai.com", "[2606:4700::1]"] {
            assert!(!is_private(host), "{host}");
        }
    }
}
