//! Checkpoints on the Hugging Face Hub: fetched and checked, released and read back.
//!
//! | part | what it does |
//! |---|---|
//! | [`Address`] | `owner/name[@revision]` |
//! | [`HubConfig`], [`Token`] | endpoint, cache, token and offline mode, from where Python's client has them too |
//! | [`Hub`] | the connection to a Hub; [`Hub::download`] and [`Hub::publish`] |
//! | [`RemoteFile`] | a file of a repository with the length and the hash that a copy must have |
//! | [`Release`] | the files of one model, ready to go |
//! | [`Card`] | the model card: front matter and text from the records |
//!
//! Queries and commits go through the crate `hf-hub`. Files are fetched here, into the cache that Python shares, since
//! that crate keeps the body of a failed request as the file, does not check length and hash of a download, names local
//! files as a server tells it, and has no offline mode. Every file is compared with the listing of its
//! commit before it is put in its place; one that differs is fetched again.

mod address;
mod card;
mod client;
mod digest;
mod download;
mod fault;
mod fetch;
mod publish;
mod release;
mod remote;
mod token;

pub use address::Address;
pub use card::{Card, CardMetric, read_numbers};
pub use client::{Hub, HubConfig};
pub use digest::Digest;
pub use download::Snapshot;
pub use publish::{Publication, PublishOptions};
pub use release::{CONFIG, Release, WEIGHTS};
pub use remote::RemoteFile;
pub use token::Token;
