//! Which proxy a request will go through, by the rules of the HTTP client.
//!
//! The client reads the same variables (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in
//! capitals first), as curl does. Credentials in a proxy's address are left out.

use std::net::IpAddr;

/// The proxy between this machine and an address, without credentials; none: directly.
pub(super) fn proxy_for(
    base_url: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let first = |names: [&str; 2]| names.iter().find_map(|name| variable(name));
    // A CGI program's HTTP_PROXY comes from a header of whoever calls it.
    if variable("REQUEST_METHOD").is_some() {
        return None;
    }
    let (scheme, rest) = base_url.split_once("://")?;
    let host = host_of(rest);
    if first(["NO_PROXY", "no_proxy"]).is_some_and(|list| is_exempt(host, &list)) {
        return None;
    }
    let of_scheme = match scheme {
        "https" => first(["HTTPS_PROXY", "https_proxy"]),
        _ => first(["HTTP_PROXY", "http_proxy"]),
    };
    let address = of_scheme
        .filter(|address| !address.is_empty())
        .or_else(|| first(["ALL_PROXY", "all_proxy"]))
        .filter(|address| !address.is_empty())?;
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", &address));
    let authority = rest.split('/').next().unwrap_or_default();
    let without_credentials = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{without_credentials}"))
}

/// The host of `host:port/path`, without the brackets of an IPv6 address.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether a `NO_PROXY` list names a host: `*`, a domain with its subdomains, an address or a
/// network such as `10.0.0.0/8`.
fn is_exempt(host: &str, list: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some(address) = address {
            return names_address(entry, address);
        }
        let domain = entry.trim_start_matches('.').to_ascii_lowercase();
        let host = host.to_ascii_lowercase();
        host.strip_suffix(domain.as_str())
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

fn names_address(entry: &str, address: IpAddr) -> bool {
    let Some((network, length)) = entry.split_once('/') else {
        return entry.parse() == Ok(address);
    };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let ((network, of_network), (address, of_address)) = (bits(network), bits(address));
    let differing = (network ^ address).leading_zeros();
    of_network == of_address && length <= of_network && differing >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(base_url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        proxy_for(base_url, &lookup)
    }

    #[test]
    fn the_proxy_goes_by_scheme_and_shows_no_credentials() {
        let variables = [
            ("HTTPS_PROXY", "http://user:secret@proxy.corp:3128/"),
            ("http_proxy", "plain.corp:8080"),
        ];
        assert_eq!(through("https://api.x/v1", &variables).unwrap(), "http://proxy.corp:3128");
        assert_eq!(through("http://api.x/v1", &variables).unwrap(), "http://plain.corp:8080");
        assert_eq!(through("https://api.x/v1", &[]), None);
        let all = [("ALL_PROXY", "socks5://p:1080")];
        assert_eq!(through("https://api.x/v1", &all).unwrap(), "socks5://p:1080");
        let cgi = [("ALL_PROXY", "socks5://p:1080"), ("REQUEST_METHOD", "GET")];
        assert_eq!(through("https://api.x/v1", &cgi), None);
    }

    #[test]
    fn hosts_of_no_proxy_are_reached_directly() {
        let is_direct = |base_url: &str, list: &str| {
            through(base_url, &[("ALL_PROXY", "p:1"), ("NO_PROXY", list)]).is_none()
        };
        assert!(is_direct("http://127.0.0.1:8080/v1", "*"));
        assert!(is_direct("https://api.example.com/v1", "other.org, example.com"));
        assert!(is_direct("https://API.example.com", ".example.com"));
        assert!(!is_direct("https://notexample.com", "example.com"));
        assert!(is_direct("http://10.1.2.3:80", "10.0.0.0/8"));
        assert!(!is_direct("http://11.1.2.3:80", "10.0.0.0/8"));
        assert!(is_direct("http://[::1]:80/v1", "::1"));
        assert!(!is_direct("http://[fe80::1]/v1", "10.0.0.0/8,::1/99999"));
    }
}
