//! The files of a repository at a commit, by the Hub's own listing.

use super::fault::{LONGEST_WAIT, asked_wait, is_passing, transport};
use super::{Address, Digest, Hub};
use crate::{Error, Result};
use serde::Deserialize;

/// Most pages of a listing that are read; a page has 1,000 entries, and a release has five files.
const PAGES: usize = 20;

/// A file of a repository at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Path in the repository, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The hash that its content must have.
    pub digest: Digest,
}

impl RemoteFile {
    /// Whether its path leads to a place inside the repository, on every system.
    pub(super) fn is_inside(&self) -> bool {
        let is_odd = |c: char| c.is_control() || "\\:".contains(c);
        !self.path.contains(is_odd) && self.path.split('/').all(|part| !matches!(part, "" | "." | ".."))
    }

    /// Whether it is stored outside git, as large files are.
    pub fn is_large(&self) -> bool {
        matches!(self.digest, Digest::Sha256(_))
    }
}

#[derive(Deserialize)]
struct ListingEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    oid: Option<String>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    oid: String,
    size: u64,
}

impl Hub {
    /// The commit that an address stands for.
    ///
    /// # Errors
    /// No such repository or revision, no right to read it, no answer.
    pub fn commit(&self, address: &Address) -> Result<String> {
        self.check_online()?;
        let info = self.patiently(address, || self.repository(address).info().revision(address.revision()).send())?;
        match info.sha.filter(|sha| matches!(Digest::parse(sha), Some(Digest::Git(_)))) {
            Some(sha) => Ok(sha),
            None => Err(self.error(address, "the commit in the answer", "none")),
        }
    }

    /// Every file of a repository at a commit.
    ///
    /// # Errors
    /// No such repository or revision, no right to read it, no answer; a listing without lengths or hashes, or with a
    /// path that leads elsewhere.
    pub fn list(&self, address: &Address, commit: &str) -> Result<Vec<RemoteFile>> {
        // The crate's own listing drops the hashes of large files.
        self.check_online()?;
        let start = format!("{}/api/models/{}/tree/{commit}?recursive=true", self.endpoint(), address.id());
        let (mut files, mut next) = (Vec::new(), Some(start));
        for _ in 0..PAGES {
            let Some(url) = next else { return Ok(files) };
            let (entries, following) = self.page(address, &url)?;
            for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
                files.push(self.check_entry(address, entry)?);
            }
            // The token goes along.
            if let Some(elsewhere) = following.as_ref().filter(|url| !has_origin(url, self.endpoint())) {
                return Err(self.error(address, "the listing's next page at the same address", elsewhere));
            }
            next = following;
        }
        Err(self.error(address, format!("a listing of at most {PAGES} pages"), "a further page"))
    }

    /// The address of a request about a file.
    pub(super) fn url(&self, address: &Address, words: &[&str], path: &str) -> Result<reqwest::Url> {
        let fault = |found: &dyn std::fmt::Display| Error::value("HF_ENDPOINT", "an http address", found);
        let mut url = reqwest::Url::parse(self.endpoint()).map_err(|error| fault(&error))?;
        let mut segments = url.path_segments_mut().map_err(|()| fault(&self.endpoint()))?;
        segments.pop_if_empty().extend([address.owner(), address.name()]).extend(words).extend(path.split('/'));
        drop(segments);
        Ok(url)
    }

    fn page(&self, address: &Address, url: &str) -> Result<(Vec<ListingEntry>, Option<String>)> {
        let broken = |error: reqwest::Error| self.error(address, "a listing", transport(error));
        let response = self.get_patiently(url).map_err(broken)?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.error(address, "a listing", status));
        }
        let next = response.headers().get(reqwest::header::LINK).and_then(|link| next_page(link.to_str().ok()?));
        Ok((response.json().map_err(broken)?, next))
    }

    pub(super) fn get_patiently(&self, url: &str) -> reqwest::Result<reqwest::blocking::Response> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (answer, is_last) = (self.get(url).send(), attempt >= self.config().attempts);
            let wait = match &answer {
                Ok(response) if is_passing(response.status()) => asked_wait(response.headers()),
                Err(error) if error.is_connect() || error.is_timeout() || error.is_request() => None,
                _ => return answer,
            };
            let wait = wait.unwrap_or(self.pause(attempt));
            if is_last || wait > LONGEST_WAIT {
                return answer;
            }
            std::thread::sleep(wait);
        }
    }

    fn check_entry(&self, address: &Address, entry: ListingEntry) -> Result<RemoteFile> {
        let (digest, size) = match &entry.lfs {
            Some(large) => (Digest::parse(&large.oid), large.size),
            None => (entry.oid.as_deref().and_then(Digest::parse), entry.size),
        };
        match digest {
            Some(digest) => Ok(RemoteFile { path: entry.path, size, digest }),
            None => Err(self.error(address, format!("a hash of {:?}", entry.path), "none")),
        }
    }
}

/// Whether an address is of the same scheme, host and port as another.
fn has_origin(url: &str, endpoint: &str) -> bool {
    let origin = |url: &str| reqwest::Url::parse(url).ok().map(|url| url.origin());
    origin(url).is_some_and(|found| origin(endpoint) == Some(found))
}

/// `<address>; rel="next"` among the links of a header.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_inside_refuses_paths_outside() {
        let file = |path: &str| RemoteFile { path: path.into(), size: 0, digest: Digest::Git(String::new()) };
        assert!(file("a/b.txt").is_inside() && file(".gitattributes").is_inside());
        for odd in ["", "../a", "a/../b", "/etc/passwd", "a//b", "a\\b", "C:b", "a/./b", "a\u{1b}[31m", "a/"] {
            assert!(!file(odd).is_inside(), "{odd:?}");
        }
    }

    #[test]
    fn has_origin_refuses_another_server() {
        for good in ["https://hub.co/api?cursor=b", "https://hub.co:443/x"] {
            assert!(has_origin(good, "https://hub.co"), "{good}");
        }
        for odd in [
            "https://hub.co.evil/x",
            "http://hub.co/x",
            "https://hub.co:8443/x",
            "/api?cursor=b",
            "https://hub.co@evil/",
        ] {
            assert!(!has_origin(odd, "https://hub.co"), "{odd}");
        }
    }

    #[test]
    fn the_next_page_is_found() {
        let link = "<http://h/a?x=1>; rel=\"first\", <http://h/a?cursor=b>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("http://h/a?cursor=b"));
        assert_eq!(next_page("<http://h/a>; rel=\"prev\""), None);
        assert_eq!(next_page("rel=\"next\""), None);
    }
}
