//! The addresses of a host tried one after the other, without waiting long for each, as RFC 8305 has it; the first
//! that answers is taken. How one is tried is the business of whoever asks.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;

/// Why an address leads nowhere.
#[derive(Debug)]
pub(crate) enum Dead<E> {
    /// Nobody answers there; at another address somebody may.
    Silent(io::Error),
    /// Somebody answers, and it comes to nothing: the other addresses are of the same host.
    Ended(E),
}

/// What comes of the first address that answers; the other attempts are dropped. Where none does, the failure is that
/// of the attempt that ended last.
pub(crate) async fn first_that_answers<T, E, F>(
    addresses: Vec<SocketAddr>,
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<T, Dead<E>>
where
    F: Future<Output = Result<T, Dead<E>>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(attempt(address));
        }
        let next = attempts.join_next();
        let ended = if waiting.len() > 0 {
            let Ok(ended) = tokio::time::timeout(STAGGER, next).await else {
                continue;
            };
            ended
        } else {
            next.await
        };
        match ended {
            Some(Ok(Ok(answered))) => return Ok(answered),
            Some(Ok(Err(Dead::Silent(error)))) => last = error,
            Some(Ok(Err(ended))) => return Err(ended),
            // One that panicked says nothing.
            Some(Err(_)) => {}
            None => return Err(Dead::Silent(last)),
        }
    }
}

/// How long one address is waited for before the next is tried too (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// Addresses with these ports.
    fn addresses(ports: impl IntoIterator<Item = u16>) -> Vec<SocketAddr> {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        ports.into_iter().map(address).collect()
    }

    /// A failure of which the kind tells whose it is.
    fn silent(kind: io::ErrorKind) -> Result<u16, Dead<&'static str>> {
        Err(Dead::Silent(kind.into()))
    }

    fn kind(raced: Result<u16, Dead<&'static str>>) -> io::ErrorKind {
        match raced {
            Err(Dead::Silent(error)) => error.kind(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_address_that_says_nothing_holds_up_the_next_for_a_moment_alone() {
        let began = tokio::time::Instant::now();
        let raced = first_that_answers(addresses([1, 2]), |address| async move {
            match address.port() {
                1 => pending().await,
                port => Ok::<_, Dead<&str>>(port),
            }
        });
        assert_eq!(raced.await.unwrap(), 2);
        assert!(began.elapsed() >= STAGGER, "the first had no chance");
    }

    #[tokio::test]
    async fn an_attempt_that_was_overtaken_may_still_be_the_first_to_answer() {
        let (second_began, heard) = oneshot::channel();
        let signals = Mutex::new((Some(second_began), Some(heard)));
        let raced = first_that_answers(addresses([1, 2]), |address| {
            let mut signals = signals.lock().unwrap();
            let (began, heard) = match address.port() {
                1 => (None, signals.1.take()),
                _ => (signals.0.take(), None),
            };
            async move {
                if let Some(heard) = heard {
                    heard.await.unwrap();
                    return Ok::<_, Dead<&str>>(address.port());
                }
                began.unwrap().send(()).unwrap();
                pending().await
            }
        });
        assert_eq!(raced.await.unwrap(), 1);
    }

    /// Nobody waits where there is nothing to wait for.
    #[tokio::test]
    async fn addresses_are_tried_in_their_order_each_when_the_one_before_has_failed() {
        let tried = Arc::new(Mutex::new(Vec::new()));
        let ports: Vec<u16> = (1..=200).collect();
        let raced = first_that_answers(addresses(ports.clone()), |address| {
            let tried = tried.clone();
            async move {
                tried.lock().unwrap().push(address.port());
                silent(io::ErrorKind::ConnectionRefused)
            }
        });
        // One stagger each would be 50 seconds.
        let raced = timeout(Duration::from_secs(30), raced).await.unwrap();
        assert_eq!(kind(raced), io::ErrorKind::ConnectionRefused);
        assert_eq!(*tried.lock().unwrap(), ports);
    }

    #[tokio::test]
    async fn of_several_failures_the_last_is_told_whatever_the_order_of_addresses() {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NotFound};
        let one_by_one = first_that_answers(addresses([1, 2]), |address| async move {
            silent([ConnectionRefused, HostUnreachable][usize::from(address.port() - 1)])
        });
        assert_eq!(kind(one_by_one.await), HostUnreachable);

        // The first fails when the second has.
        let (second_failed, heard) = oneshot::channel::<()>();
        let signals = Mutex::new((Some(second_failed), Some(heard)));
        let overtaken = first_that_answers(addresses([1, 2]), |address| {
            let mut signals = signals.lock().unwrap();
            let (failed, heard) = match address.port() {
                1 => (None, signals.1.take()),
                _ => (signals.0.take(), None),
            };
            async move {
                let Some(heard) = heard else {
                    drop(failed);
                    return silent(HostUnreachable);
                };
                let _ = heard.await;
                silent(ConnectionRefused)
            }
        });
        assert_eq!(kind(overtaken.await), ConnectionRefused);
        let nowhere = first_that_answers(Vec::new(), |_| async { silent(ConnectionRefused) });
        assert_eq!(kind(nowhere.await), NotFound);
    }

    #[tokio::test]
    async fn who_answers_badly_ends_it_and_who_panics_does_not() {
        let raced = first_that_answers(addresses([1, 2, 3]), |address| async move {
            match address.port() {
                1 => panic!("of no consequence"),
                2 => Err::<u16, _>(Dead::Ended("not believed")),
                port => Ok(port),
            }
        });
        assert!(matches!(raced.await, Err(Dead::Ended("not believed"))));
    }

    #[tokio::test]
    async fn attempts_that_lost_are_given_up() {
        let (held, dropped) = oneshot::channel::<()>();
        let held = Mutex::new(Some(held));
        let raced = first_that_answers(addresses([1, 2]), |address| {
            let held = held.lock().unwrap().take();
            async move {
                if held.is_some() {
                    pending::<()>().await;
                }
                Ok::<_, Dead<&str>>(address.port())
            }
        });
        assert_eq!(raced.await.unwrap(), 2);
        let gone = timeout(Duration::from_secs(30), dropped).await;
        assert!(gone.unwrap().is_err());
    }
}
