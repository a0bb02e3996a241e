//! What has to be changed in a protocol, behind the word that began TLS, where only one side of a tunnel has TLS.

use super::Protocol;
use super::mysql::Renumber;
use super::postgres::Unbind;

/// Both directions of a connection, whose octets are changed in place, in whatever pieces they come.
#[derive(Debug)]
pub enum Rewrite {
    /// Packets of `MySQL` have other numbers.
    Mysql(Renumber),
    /// A server of `PostgreSQL` offers more than its client may take.
    Postgres(Unbind),
}

impl Rewrite {
    /// What is to be changed between a client and a server that have begun TLS in these protocols, or have not.
    #[must_use]
    pub fn between(client: Option<Protocol>, server: Option<Protocol>) -> Option<Self> {
        match (client, server) {
            (Some(Protocol::Mysql), None) => Some(Self::Mysql(Renumber::terminate())),
            (None, Some(Protocol::Mysql)) => Some(Self::Mysql(Renumber::originate())),
            (None, Some(Protocol::Postgres)) => Some(Self::Postgres(Unbind::default())),
            _ => None,
        }
    }

    /// Changes what comes from the client, from behind the word that began TLS on.
    pub fn client_to_server(&mut self, octets: &mut [u8]) {
        match self {
            Self::Mysql(renumber) => renumber.client_to_server(octets),
            Self::Postgres(_) => {}
        }
    }

    /// Changes what comes from the server, from behind the word that began TLS on.
    pub fn server_to_client(&mut self, octets: &mut [u8]) {
        match self {
            Self::Mysql(renumber) => renumber.server_to_client(octets),
            Self::Postgres(unbind) => unbind.server_to_client(octets),
        }
    }

    /// Whether nothing is changed any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Mysql(renumber) => renumber.is_over(),
            Self::Postgres(unbind) => unbind.is_over(),
        }
    }
}

#[test]
fn what_is_changed_depends_on_who_has_tls() {
    let mysql = Some(Protocol::Mysql);
    let postgres = Some(Protocol::Postgres);
    assert!(matches!(
        Rewrite::between(None, postgres),
        Some(Rewrite::Postgres(_))
    ));
    for (client, server, number) in [(mysql, None, 1), (None, mysql, 3)] {
        let mut rewrite = Rewrite::between(client, server).unwrap();
        let mut packet = [1, 0, 0, 2, 0xfe];
        rewrite.client_to_server(&mut packet);
        assert_eq!(packet[3], number);
        assert!(!rewrite.is_over());
    }
    for (client, server) in [
        (mysql, mysql),
        (postgres, None),
        (postgres, postgres),
        (None, Some(Protocol::Smtp)),
        (None, None),
    ] {
        assert!(Rewrite::between(client, server).is_none());
    }
}
