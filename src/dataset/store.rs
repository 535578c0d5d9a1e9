//! Where captures and results are kept for several machines: an S3-compatible store or a folder.
//!
//! Every write is conditional: an object is created if it is absent, or replaced if it is still
//! the version that was read. Nothing is ever overwritten blindly.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion,
};
use sha2::{Digest, Sha256};

use super::files::{create_private_file, hex};
use super::store_folder::FolderStore;
use super::{DatasetError, Location};

/// Variables that say how an S3-compatible store is reached; there is no other source of keys.
const VARIABLES: &[(&str, AmazonS3ConfigKey)] = &[
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_DEFAULT_REGION", AmazonS3ConfigKey::DefaultRegion),
    ("AWS_REGION", AmazonS3ConfigKey::Region),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];

/// Variables that name another address than Amazon's, the first one wins.
const ENDPOINTS: &[&str] = &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Longest time that one request to a store may take, and a connection.
const REQUEST_LIMIT: Duration = Duration::from_mins(5);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A store of objects under one address.
#[derive(Debug, Clone)]
pub struct Store {
    address: String,
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Folder(FolderStore),
    S3 { store: Arc<dyn ObjectStore>, prefix: Key },
}

/// The version of an object: what a conditional write is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    pub(super) fn new(text: String) -> Self {
        Version(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Store {
    /// Opens the store at an address: `s3://bucket/prefix`, or a folder.
    ///
    /// `variable` gives the value of an environment variable.
    ///
    /// # Errors
    /// An address of another kind, no credentials, or an endpoint in plain text elsewhere.
    pub fn open(
        address: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DatasetError> {
        let shown = address.trim_end_matches('/').to_owned();
        let Some(place) = address.strip_prefix("s3://") else {
            let folder = Location::parse(address)?.path().to_owned();
            return Ok(Store { address: shown, inner: Inner::Folder(FolderStore::new(folder)) });
        };
        let failed = |message: String| DatasetError::Store { address: shown.clone(), message };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(failed("no bucket: write `s3://bucket/prefix`".to_owned()));
        }
        let builder = s3(bucket, variable).map_err(&failed)?;
        // A provider may be installed already, by a client of the replay; any one will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = builder.build().map_err(|error| failed(reason(&error)))?;
        let prefix = Key::from(prefix.trim_matches('/'));
        Ok(Store { address: shown, inner: Inner::S3 { store: Arc::new(store), prefix } })
    }

    /// The address, which holds no credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Reads an object and its version; `None` when there is none.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses.
    pub async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, DatasetError> {
        let (store, place) = match &self.inner {
            Inner::Folder(folder) => return folder.get(key),
            Inner::S3 { store, prefix } => (store, at(prefix, key)),
        };
        let failed = |error| self.failed("read", key, &error);
        let found = match store.get(&place).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let version = Version(found.meta.e_tag.clone().unwrap_or_default());
        Ok(Some((found.bytes().await.map_err(failed)?, version)))
    }

    /// Saves an object as a file, piece by piece, and tells its SHA-256; `None` when there is none.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses, or a file that cannot be written.
    pub async fn save(&self, key: &str, target: &Path) -> Result<Option<String>, DatasetError> {
        let (store, place) = match &self.inner {
            Inner::Folder(folder) => {
                let Some((bytes, _)) = folder.get(key)? else { return Ok(None) };
                let pieces = futures_util::stream::iter([Ok(bytes)]);
                return save(pieces, target).await.map(Some);
            }
            Inner::S3 { store, prefix } => (store, at(prefix, key)),
        };
        let pieces = match store.get(&place).await {
            Ok(found) => found.into_stream(),
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed("read", key, &error)),
        };
        save(pieces.map_err(|error| self.failed("read", key, &error)), target).await.map(Some)
    }

    /// Creates an object; `false` when there is one already.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses.
    pub async fn create(&self, key: &str, bytes: Bytes) -> Result<bool, DatasetError> {
        Ok(self.put_if(key, bytes, None).await?.is_some())
    }

    /// Creates an object, or replaces the expected version of it; `None` when another process was
    /// faster, or may have been.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses.
    pub async fn put_if(
        &self,
        key: &str,
        bytes: Bytes,
        expected: Option<&Version>,
    ) -> Result<Option<Version>, DatasetError> {
        let (store, place) = match &self.inner {
            Inner::Folder(folder) => return folder.put_if(key, &bytes, expected),
            Inner::S3 { store, prefix } => (store, at(prefix, key)),
        };
        let mode = match expected {
            None => PutMode::Create,
            Some(version) => {
                let e_tag = Some(version.as_str().to_owned());
                PutMode::Update(UpdateVersion { e_tag, version: None })
            }
        };
        match store.put_opts(&place, bytes.into(), PutOptions::from(mode)).await {
            Ok(put) => Ok(Some(Version(put.e_tag.unwrap_or_default()))),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(None),
            // What was to be replaced is gone.
            Err(Error::NotFound { .. }) if expected.is_some() => Ok(None),
            Err(error) => Err(self.failed("write", key, &error)),
        }
    }

    /// Removes an object; none is no error.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses.
    pub async fn remove(&self, key: &str) -> Result<(), DatasetError> {
        let (store, place) = match &self.inner {
            Inner::Folder(folder) => return folder.remove(key),
            Inner::S3 { store, prefix } => (store, at(prefix, key)),
        };
        match store.delete(&place).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", key, &error)),
        }
    }

    /// The keys of all objects under a folder, sorted.
    ///
    /// # Errors
    /// A store that cannot be reached or refuses.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        let (store, prefix) = match &self.inner {
            Inner::Folder(inner) => return inner.list(folder),
            Inner::S3 { store, prefix } => (store, prefix),
        };
        let place = at(prefix, folder);
        let found: Vec<_> = store
            .list(Some(&place))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|error| self.failed("list", folder, &error))?;
        let inside = |key: &Key| {
            let parts: Vec<String> =
                key.prefix_match(prefix)?.map(|p| p.as_ref().to_owned()).collect();
            Some(parts.join("/"))
        };
        let mut keys: Vec<String> = found.iter().filter_map(inside).collect();
        keys.sort();
        Ok(keys)
    }

    fn failed(&self, action: &str, key: &str, error: &Error) -> DatasetError {
        let address = format!("{}/{key}", self.address);
        DatasetError::Store { address, message: format!("cannot {action} it: {}", reason(error)) }
    }
}

/// Writes pieces as one durable file that only its owner can read.
async fn save(
    mut pieces: impl Stream<Item = Result<Bytes, DatasetError>> + Unpin,
    target: &Path,
) -> Result<String, DatasetError> {
    let failed = |source| DatasetError::io("write", target, source);
    let mut file = create_private_file(target)?;
    let mut hash = Sha256::new();
    while let Some(piece) = pieces.try_next().await? {
        hash.update(&piece);
        file.write_all(&piece).map_err(failed)?;
    }
    file.sync().map_err(failed)?;
    Ok(hex(&hash.finalize()))
}

/// The place of a key, taken as it is written: names of foreign objects may hold anything.
fn at(prefix: &Key, key: &str) -> Key {
    let whole = format!("{prefix}/{key}");
    let whole = whole.trim_matches('/');
    Key::parse(whole).unwrap_or_else(|_| Key::from(whole))
}

fn s3(bucket: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<AmazonS3Builder, String> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // Not every compatible store removes several objects in one request.
        .with_disable_bulk_delete(true);
    for (name, key) in VARIABLES {
        if let Some(value) = variable(name) {
            builder = builder.with_config(*key, value);
        }
    }
    let has_keys = ["AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        .iter()
        .any(|name| variable(name).is_some());
    if !has_keys {
        return Err("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                    or AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE"
            .to_owned());
    }
    let mut options = ClientOptions::new()
        .with_timeout(REQUEST_LIMIT)
        .with_connect_timeout(CONNECT_LIMIT)
        .with_allow_http(false);
    if let Some(endpoint) = ENDPOINTS.iter().find_map(|name| variable(name)) {
        if endpoint.starts_with("http://") {
            let allowed = variable("AWS_ALLOW_HTTP").is_some_and(|value| value == "true");
            if !allowed && !is_loopback(&endpoint) {
                return Err(format!(
                    "{endpoint} would carry the capture in plain text: use https, or set \
                     AWS_ALLOW_HTTP=true"
                ));
            }
            options = options.with_allow_http(true);
        }
        builder = builder.with_endpoint(endpoint);
    }
    Ok(builder.with_client_options(options))
}

/// Whether an endpoint is on this machine.
fn is_loopback(endpoint: &str) -> bool {
    let rest = endpoint.trim_start_matches("http://");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An error with its innermost reason; the library's messages name neither keys nor signatures.
fn reason(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

/// The name of a file in a folder, as the last part of a key.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file's path within a folder, refusing whatever could lead out of it.
pub fn inside(folder: &Path, relative: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = relative.split('/').collect();
    let harmless = |part: &&str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0'])
    };
    parts.iter().all(harmless).then(|| folder.join(parts.iter().collect::<PathBuf>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(address: &str, variables: &[(&str, &str)]) -> Result<Store, String> {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Store::open(address, &variable).map_err(|error| error.to_string())
    }

    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "canary-secret")];

    #[test]
    fn credentials_come_from_the_environment_or_not_at_all() {
        assert!(open("s3://bucket/a", &[]).unwrap_err().contains("AWS_ACCESS_KEY_ID"));
        assert!(open("s3://", &KEYS).unwrap_err().contains("s3://bucket/prefix"));
        let store = open("s3://bucket/a/", &KEYS).unwrap();
        assert_eq!(store.address(), "s3://bucket/a");
        assert!(!format!("{store:?}").contains("canary-secret"));
    }

    #[test]
    fn plain_text_leaves_this_machine_only_on_demand() {
        let with = |endpoint, extra: Option<(&'static str, &'static str)>| {
            let mut variables = KEYS.to_vec();
            variables.push(("AWS_ENDPOINT_URL", endpoint));
            variables.extend(extra);
            open("s3://bucket/a", &variables)
        };
        for here in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9/x"] {
            assert!(with(here, None).is_ok(), "{here}");
        }
        for elsewhere in ["http://10.0.0.1:9000", "http://127.0.0.1.example.com", "http://a@b"] {
            assert!(with(elsewhere, None).unwrap_err().contains("AWS_ALLOW_HTTP"), "{elsewhere}");
            assert!(with(elsewhere, Some(("AWS_ALLOW_HTTP", "true"))).is_ok());
        }
        assert!(with("https://s3.example.com", None).is_ok());
    }

    #[test]
    fn a_listed_path_cannot_leave_its_folder() {
        let folder = Path::new("/f");
        assert_eq!(inside(folder, "results/a.parquet"), Some("/f/results/a.parquet".into()));
        for wrong in ["../a", "a/../../b", "/etc/passwd", "", "a//b", "a\\b", ".ssh/x"] {
            assert_eq!(inside(folder, wrong), None, "{wrong}");
        }
    }
}
