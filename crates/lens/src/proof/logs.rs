//! The logs of Certificate Transparency whose keys are known.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_pki::PublicKey;
use ravelin_pki::der::DerError;
use serde::Deserialize;

/// The logs whose keys are known, by their identifiers.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    by_id: HashMap<[u8; 32], Log>,
}

/// A log.
#[derive(Debug, Clone)]
pub struct Log {
    /// What its list says of it.
    pub entry: Arc<LogEntry>,
    /// Its key.
    pub key: PublicKey,
}

/// What a list says of a log. Whoever wrote the list chose the words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogEntry {
    /// What it is called.
    pub description: String,
    /// Who runs it, where the list says so.
    pub operator: String,
    /// What the list's browser thinks of it, where the list says so.
    pub state: Option<LogState>,
    /// Since when, as the list writes it.
    pub since: Option<String>,
}

/// What a browser thinks of a log, as the lists name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogState {
    /// It asked to be taken.
    Pending,
    /// It was taken, and soon counts everywhere.
    Qualified,
    /// Its promises count.
    Usable,
    /// It takes nothing new; what it promised counts.
    ReadOnly,
    /// What it promised since then does not count.
    Retired,
    /// It was not taken, or is not any more.
    Rejected,
}

/// The longest list that is read, in octets. Those of Google and Apple have 400 KiB at most.
pub const MAX_LIST_OCTETS: usize = 4 << 20;

/// Why a list of logs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// It is longer than any.
    #[error("it has more than {} MiB, which no list of logs has", MAX_LIST_OCTETS >> 20)]
    TooLong,
    /// It is not JSON, or not of the form of version 3.
    #[error("it is not a list of logs in JSON, version 3")]
    Json(#[from] serde_json::Error),
    /// The key of a log is not in base64.
    #[error("the key of the log \"{log}\" is not in base64")]
    Base64 {
        /// The log.
        log: String,
        /// What is wrong.
        source: base64::DecodeError,
    },
    /// The key of a log is none.
    #[error("the key of the log \"{log}\" cannot be read")]
    Key {
        /// The log.
        log: String,
        /// What is wrong.
        source: DerError,
    },
}

impl Logs {
    /// Reads a list in the form that browsers share, version 3: operators, and the `logs` and
    /// `tiled_logs` of each, with `key` in base64. Identifiers are not read but computed of the keys (RFC
    /// 6962, section 3.2), so that a list cannot have a key under another's name.
    ///
    /// # Errors
    ///
    /// It is no such list, or a key in it cannot be read.
    pub fn from_json(json: &[u8]) -> Result<Self, LogsError> {
        if json.len() > MAX_LIST_OCTETS {
            return Err(LogsError::TooLong);
        }
        let list: List = serde_json::from_slice(json)?;
        let mut logs = Self::default();
        for operator in list.operators {
            for entry in operator.logs.into_iter().chain(operator.tiled_logs) {
                let log = entry.description;
                let der = match STANDARD.decode(entry.key) {
                    Ok(der) => der,
                    Err(source) => return Err(LogsError::Base64 { log, source }),
                };
                let key = match PublicKey::from_der(&der) {
                    Ok(key) => key,
                    Err(source) => return Err(LogsError::Key { log, source }),
                };
                let (state, since) = entry.state.map_or((None, None), State::read);
                logs.add(Log {
                    entry: Arc::new(LogEntry {
                        description: log,
                        operator: operator.name.clone(),
                        state,
                        since,
                    }),
                    key,
                });
            }
        }
        Ok(logs)
    }

    /// Adds a log.
    pub fn add(&mut self, log: Log) {
        self.by_id.insert(log.id(), log);
    }

    /// The log of this identifier.
    #[must_use]
    pub fn get(&self, id: &[u8; 32]) -> Option<&Log> {
        self.by_id.get(id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl Log {
    /// Its identifier: the SHA-256 of its key (RFC 6962, section 3.2).
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        *self.key.fingerprint().as_bytes()
    }
}

impl LogState {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Qualified,
        Self::Usable,
        Self::ReadOnly,
        Self::Retired,
        Self::Rejected,
    ];

    /// What lists call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Qualified => "qualified",
            Self::Usable => "usable",
            Self::ReadOnly => "readonly",
            Self::Retired => "retired",
            Self::Rejected => "rejected",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// `Argon 2026 (Google)`.
impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogEntry {
            description,
            operator,
            ..
        } = &*self.entry;
        f.write_str(description)?;
        if operator.is_empty() {
            Ok(())
        } else {
            write!(f, " ({operator})")
        }
    }
}

#[derive(Deserialize)]
struct List {
    operators: Vec<Operator>,
}

#[derive(Deserialize)]
struct Operator {
    #[serde(default)]
    name: String,
    #[serde(default)]
    logs: Vec<Entry>,
    #[serde(default)]
    tiled_logs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    description: String,
    key: String,
    #[serde(default)]
    state: Option<State>,
}

/// An object whose one member is named after the state.
#[derive(Deserialize)]
struct State(HashMap<String, Since>);

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    timestamp: Option<String>,
}

impl State {
    fn read(self) -> (Option<LogState>, Option<String>) {
        let mut states = self.0.into_iter();
        let known = states.find_map(|(name, since)| {
            let state = LogState::named(&name)?;
            Some((state, since.timestamp))
        });
        known.map_or((None, None), |(state, since)| (Some(state), since))
    }
}
