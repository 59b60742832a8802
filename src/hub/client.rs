//! The connection to a Hub.

use super::{Address, Token};
use crate::{Error, Result};
use hf_hub::{HFClient, HFClientSync, HFRepositorySync, RepoTypeModel};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of the connection to a Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Its address; none: `HF_ENDPOINT`, else the public Hub.
    pub endpoint: Option<String>,
    /// The token; none: the one in the environment, or anonymous access without one.
    pub token: Option<Token>,
    /// Folder of the cache; none: the one that Python's client uses.
    pub cache: Option<PathBuf>,
    /// Whether nothing but the cache may be used.
    pub offline: bool,
    /// How often a file is fetched, or a commit tried, before that is an error.
    pub attempts: usize,
    /// Pause before the second attempt; each further one is twice as long.
    pub pause: Duration,
    /// Longest silence of a server.
    pub silence: Duration,
}

impl HubConfig {
    /// Settings from the environment: `HF_ENDPOINT`, `HF_TOKEN` and its files, `HF_HUB_CACHE` or `HF_HOME`,
    /// `HF_HUB_OFFLINE`.
    ///
    /// ```
    /// let config = retrace::hub::HubConfig::from_environment();
    /// assert!(config.attempts > 1);
    /// ```
    pub fn from_environment() -> Self {
        Self::of(&variable)
    }

    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_on = |value: String| matches!(value.to_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE");
        Self {
            endpoint: variable("HF_ENDPOINT"),
            token: Token::find(variable),
            cache: None,
            offline: variable("HF_HUB_OFFLINE").is_some_and(is_on),
            attempts: 3,                      // an error after two retries is not a network fault
            pause: Duration::from_secs(1),    // long enough for a server that restarts a worker
            silence: Duration::from_secs(60), // the Hub itself gives a commit that long
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A Hub that requests can be sent to.
///
/// ```no_run
/// use retrace::hub::{Hub, HubConfig};
/// use retrace::watch::Unwatched;
/// let hub = Hub::open(HubConfig::from_environment())?;
/// let snapshot = hub.download(&"owner/model@v0.1.0".parse()?, &[], &Unwatched)?;
/// println!("{}", snapshot.folder.display());
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    endpoint: String,
    cache: PathBuf,
    client: HFClientSync,
    http: reqwest::blocking::Client,
}

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(20);

impl Hub {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// An endpoint that is no `http` address, or one without encryption that a token would be sent to over a network.
    pub fn open(mut config: HubConfig) -> Result<Self> {
        config.token = config.token.or_else(|| Token::find(&variable)); // the crate would find the same
        if let Some(cache) = config.cache.as_deref() {
            std::fs::create_dir_all(cache).map_err(Error::io(cache))?;
        }
        let fault = |error: &dyn std::fmt::Display| Error::value("Hub", "a connection", error);
        let http = reqwest::Client::builder().user_agent(AGENT).connect_timeout(CONNECT).read_timeout(config.silence);
        let mut client = HFClient::builder().user_agent(AGENT).client(http.build().map_err(|error| fault(&error))?);
        client = client.retry_max_attempts(0); // `Hub::patiently` waits as long as a server asks for; the crate does not
        if let Some(endpoint) = &config.endpoint {
            client = client.endpoint(endpoint);
        }
        if let Some(cache) = &config.cache {
            client = client.cache_dir(cache);
        }
        if let Some(token) = &config.token {
            client = client.token(token.reveal());
        }
        let client = client.build().map_err(|error| fault(&error))?;
        check_endpoint(client.endpoint(), config.token.is_some())?;
        let (endpoint, cache) = (client.endpoint().to_string(), client.cache_dir().to_path_buf());
        let http =
            reqwest::blocking::Client::builder().user_agent(AGENT).connect_timeout(CONNECT).timeout(config.silence);
        let http = http.build().map_err(|error| fault(&error))?;
        let client = HFClientSync::from_inner(client).map_err(|error| fault(&error))?;
        Ok(Self { config, endpoint, cache, client, http })
    }

    /// Its settings.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Where it is, without a slash at the end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Folder of the cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The user name of the token.
    ///
    /// # Errors
    /// No token, one that is refused, or no answer.
    pub fn name(&self) -> Result<String> {
        self.check_online()?;
        let found = |found: String| Error::value("namespace", "a token of the Hub (HF_TOKEN), or --namespace", found);
        if self.config.token.is_none() {
            return Err(found("neither".into()));
        }
        let user = self.client.whoami().send().map_err(|error| found(self.hide(&error.to_string())))?;
        Ok(user.username)
    }

    /// Refuses to send anything in offline mode.
    pub(super) fn check_online(&self) -> Result<()> {
        if self.config.offline {
            Err(Error::value("HF_HUB_OFFLINE", "a connection to the Hub for this", "offline mode"))
        } else {
            Ok(())
        }
    }

    /// The crate's handle of a repository.
    pub(super) fn repository(&self, address: &Address) -> HFRepositorySync<RepoTypeModel> {
        self.client.model(address.owner(), address.name())
    }

    /// The crate's client.
    pub(super) fn client(&self) -> &HFClientSync {
        &self.client
    }

    /// A request of our own, with the token.
    pub(super) fn get(&self, url: &str) -> reqwest::blocking::RequestBuilder {
        let request = self.http.get(url);
        match &self.config.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    /// A text without the token.
    pub(super) fn hide(&self, text: &str) -> String {
        self.config.token.as_ref().map_or(text.to_string(), |token| token.hide(text))
    }
}

/// The user agent in a server's log.
const AGENT: &str = concat!("retrace/", env!("CARGO_PKG_VERSION"));

/// A token goes over an encrypted connection or stays on this machine.
fn check_endpoint(endpoint: &str, has_token: bool) -> Result<()> {
    let expected = "an https address (http only on this machine, or without a token)";
    let fault = || Error::value("HF_ENDPOINT", expected, format!("`{endpoint}`"));
    let url = reqwest::Url::parse(endpoint).map_err(|_| fault())?;
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && (is_here || !has_token);
    if is_safe { Ok(()) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> HubConfig {
        HubConfig::of(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn config_reads_the_environment() {
        assert!(!config(&[]).offline && config(&[]).endpoint.is_none());
        for (value, offline) in [("1", true), ("true", true), ("Yes", true), ("0", false), ("no", false)] {
            assert_eq!(config(&[("HF_HUB_OFFLINE", value)]).offline, offline, "{value}");
        }
        let set = config(&[("HF_ENDPOINT", "http://localhost:1"), ("HF_TOKEN", "secret")]);
        assert_eq!(set.endpoint.as_deref(), Some("http://localhost:1"));
        assert!(!format!("{set:?}").contains("secret"));
    }

    #[test]
    fn open_refuses_a_token_without_encryption() {
        for good in ["https://hub.example", "http://127.0.0.1:8901", "http://localhost", "http://[::1]:3"] {
            check_endpoint(good, true).unwrap();
        }
        check_endpoint("http://mirror.example", false).unwrap();
        for bad in ["http://hub.example", "http://127.0.0.1.example", "ftp://localhost", "hub", "http://10.0.0.1"] {
            assert!(check_endpoint(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn offline_client_sends_nothing() {
        let config = HubConfig { offline: true, token: Token::new("x"), ..config(&[]) };
        let error = Hub::open(config).unwrap().name().unwrap_err().to_string();
        assert!(error.contains("offline mode"), "{error}");
    }
}
