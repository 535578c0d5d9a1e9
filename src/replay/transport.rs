//! How an arm is reached: its HTTP client with its key, its trust and its walls.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Url};

use super::ReplayError;
use super::client::describe;
use super::leaving::TimeConnections;
use super::secret::{Secret, without_credentials};
use super::walls::{Guard, check_destination, is_private};
use crate::plan::{Arm, Plan, Timeouts};
use crate::provider;

/// Where keys come from: environment variables by name, and files beside the plan.
pub(super) struct Keys<'a> {
    /// The value of an environment variable.
    pub(super) variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The folder of the plan, to which its files are relative.
    pub(super) folder: &'a Path,
}

impl Keys<'_> {
    /// The key of an arm, if it needs one.
    ///
    /// # Errors
    /// A variable that is not set, or a file that cannot be read or holds nothing.
    pub(super) fn of(&self, arm: &Arm) -> Result<Option<Secret>, ReplayError> {
        if let Some(variable) = &arm.api_key_env {
            let key = (self.variable)(variable).ok_or_else(|| ReplayError::MissingKey {
                arm: arm.name.clone(),
                variable: variable.clone(),
            })?;
            return Ok(Some(Secret::new(&key)));
        }
        let Some(file) = &arm.api_key_file else { return Ok(None) };
        let unusable = |reason: String| ReplayError::KeyFile { arm: arm.name.clone(), reason };
        let text = std::fs::read_to_string(self.folder.join(file))
            .map_err(|error| unusable(format!("cannot be read: {error}")))?;
        if text.trim().is_empty() {
            return Err(unusable("is empty".to_owned()));
        }
        Ok(Some(Secret::new(&text)))
    }
}

/// Builds the HTTP client of an arm.
///
/// # Errors
/// A key that no header can carry, an address to which nothing is sent, a file of authorities that
/// cannot be used, or a TLS set-up that fails.
pub(super) fn http_client(
    arm: &Arm,
    key: Option<&Secret>,
    timeouts: Timeouts,
    folder: &Path,
    guard: &Guard,
) -> Result<reqwest::Client, ReplayError> {
    check_destination(&arm.base_url)
        .map_err(|reason| ReplayError::ForbiddenAddress { arm: arm.name.clone(), reason })?;
    let mut headers = HeaderMap::new();
    // Compressed streams are flushed late, which would distort every gap.
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    if let Some(key) = key {
        let (name, prefix) = provider::auth_header(arm.protocol, &arm.anthropic_version);
        let mut value =
            HeaderValue::from_str(&format!("{prefix}{}", key.expose())).map_err(|_| {
                let source = arm.api_key_env.clone().unwrap_or_else(|| "api_key_file".to_owned());
                ReplayError::BadKey { arm: arm.name.clone(), variable: source }
            })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    // A provider may be installed already, by an earlier arm; any one will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let failed = |failure: &reqwest::Error| ReplayError::Client {
        arm: arm.name.clone(),
        message: describe(failure),
    };
    reqwest::Client::builder()
        .default_headers(headers)
        // A redirect would carry `x-api-key` to another host.
        .redirect(reqwest::redirect::Policy::none())
        // Whatever is sent again is an attempt of its own, journaled and listed.
        .retry(reqwest::retry::never())
        .dns_resolver(std::sync::Arc::new(guard.clone()))
        .tls_certs_merge(authorities(arm, folder)?)
        .connect_timeout(timeouts.connect)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(usize::MAX)
        .tcp_nodelay(true)
        .connector_layer(TimeConnections)
        .user_agent(concat!("rehearsal/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|failure| failed(&failure))
}

/// The authorities that an arm trusts beside the system's.
fn authorities(arm: &Arm, folder: &Path) -> Result<Vec<Certificate>, ReplayError> {
    let Some(file) = &arm.ca_file else { return Ok(Vec::new()) };
    let path: PathBuf = folder.join(file);
    let unusable = |reason: String| ReplayError::CaFile { path: path.clone(), reason };
    let bytes = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&bytes).map_err(|failure| unusable(describe(&failure)))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

/// The proxy through which each arm is reached, as the environment says (`HTTP_PROXY`,
/// `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`): pairs of arm and proxy, without credentials. Arms that
/// are reached directly are left out.
pub fn proxies(plan: &Plan) -> Vec<(String, String)> {
    // The same matcher that the HTTP client asks.
    let matcher = Matcher::from_system();
    plan.arms()
        .filter_map(|arm| {
            let uri = arm.base_url.parse().ok()?;
            let proxy = matcher.intercept(&uri)?.uri().to_string();
            Some((arm.name.clone(), without_credentials(&proxy).into_owned()))
        })
        .collect()
}

/// What about the way to the arms deserves a word before anything is sent: proxies, since they are
/// part of every latency, keys that travel in the open, and key files that others can read.
///
/// `folder` is that of the plan, to which its files are relative.
pub fn warnings(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut warnings: Vec<String> = proxies(plan)
        .into_iter()
        .map(|(arm, proxy)| {
            format!(
                "arm `{arm}` is reached through the proxy {proxy}, which is part of its latency"
            )
        })
        .collect();
    for arm in plan.arms() {
        let in_the_open = Url::parse(&arm.base_url)
            .is_ok_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_private));
        if in_the_open {
            let what = "prompts and key travel unencrypted; use https if the provider offers it";
            warnings.push(format!("arm `{}`: {what}", arm.name));
        }
        if let Some(file) = &arm.api_key_file
            && is_readable_by_others(&folder.join(file))
        {
            warnings.push(format!(
                "arm `{}`: other users can read the file of its key; `chmod 600` it",
                arm.name
            ));
        }
    }
    warnings
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_path: &Path) -> bool {
    false
}
