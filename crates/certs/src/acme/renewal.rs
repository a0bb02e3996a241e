//! When a certificate is to be renewed, and how long to wait after a failure. No clock, and no dice: what is spread
//! over time is spread by a certificate's own digest, so that whoever starts again comes to the same answer.

use std::time::{Duration, SystemTime};

use ravelin_pki::{Certificate, Fingerprint};

/// The time in which a CA suggests to renew a certificate (RFC 9773, section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
}

/// When to renew a certificate: at a point of the window that the CA suggests; else when two thirds of its life are
/// gone, or a little earlier, so that not all come at once.
pub(super) fn due(certificate: &Certificate, window: Option<Window>) -> SystemTime {
    let spread = spread(&certificate.fingerprint_sha256());
    let own = own_time(certificate, spread);
    match window.and_then(|window| Some((window, window.end.duration_since(window.start).ok()?))) {
        // A CA that forgets that it has an end must not make it be missed.
        Some((window, length)) => {
            (window.start + length.mul_f64(spread)).min(last_call(certificate))
        }
        None => own,
    }
}

fn own_time(certificate: &Certificate, spread: f64) -> SystemTime {
    let early = life(certificate).mul_f64(spread / 20.0);
    let due = certificate.renew_at();
    due.checked_sub(early).unwrap_or(due)
}

/// When nine tenths of the life are gone.
fn last_call(certificate: &Certificate) -> SystemTime {
    certificate.not_after() - life(certificate).mul_f64(0.1)
}

fn life(certificate: &Certificate) -> Duration {
    let life = certificate
        .not_after()
        .duration_since(certificate.not_before());
    life.unwrap_or_default()
}

/// From 0 to 1.
fn spread(of: &Fingerprint) -> f64 {
    let [a, b, c, d, ..] = *of.as_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

/// How soon after a certificate came the next may be asked for, however early the CA or a wrong clock would have it: a
/// twentieth of its life, or six hours.
pub(super) fn not_before(certificate: &Certificate, came_at: SystemTime) -> SystemTime {
    came_at + (life(certificate) / 20).min(LONGEST_PAUSE)
}

/// How long to wait after so many failures in a row: a minute, then twice as long each time, to six hours at most, and
/// up to a quarter more. CAs bear five failed validations of a name in an hour.
pub(super) fn pause(failures: u32, seed: &[u8]) -> Duration {
    let doubled = FIRST_PAUSE * 2_u32.pow(failures.saturating_sub(1).min(16));
    let pause = doubled.min(LONGEST_PAUSE);
    let mut of = seed.to_vec();
    of.extend(failures.to_be_bytes());
    pause + pause.mul_f64(spread(&Fingerprint::of(&of)) / 4.0)
}

const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 60 * 60);

#[cfg(test)]
mod tests {
    use ravelin_pki::authority::self_signed_certificate;
    use ravelin_pki::{PrivateKey, Template};

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn certificate(now: SystemTime) -> Certificate {
        let template = Template::leaf(vec![ravelin_pki::GeneralName::Dns("a.test".to_owned())]);
        let key = PrivateKey::generate().unwrap();
        let der = self_signed_certificate(&template, &key, 90 * DAY, now).unwrap();
        Certificate::from_der(&der).unwrap()
    }

    #[test]
    fn without_a_suggestion_it_is_renewed_a_little_before_two_thirds_of_its_life() {
        let now = SystemTime::now();
        let certificates: Vec<_> = (0..8).map(|_| certificate(now)).collect();
        let dues: Vec<_> = certificates.iter().map(|one| due(one, None)).collect();
        for at in &dues {
            let after = at.duration_since(now).unwrap();
            assert!((55 * DAY..=60 * DAY).contains(&after), "{after:?}");
        }
        assert_ne!(dues[0], dues[1], "not all at once");
        assert_eq!(due(&certificates[0], None), dues[0], "nor anew each time");
    }

    #[test]
    fn a_suggested_window_is_kept_to_whether_it_is_early_or_late() {
        let now = SystemTime::now();
        let certificate = certificate(now);
        let past = Window {
            start: now - 2 * DAY,
            end: now - DAY,
        };
        let due_then = due(&certificate, Some(past));
        assert!((past.start..=past.end).contains(&due_then));
        // Beyond the end of the certificate nobody waits.
        let late = Window {
            start: now + 100 * DAY,
            end: now + 101 * DAY,
        };
        assert!(due(&certificate, Some(late)) < certificate.not_after() - 8 * DAY);
        let upside_down = Window {
            start: now,
            end: now - DAY,
        };
        assert_eq!(
            due(&certificate, Some(upside_down)),
            due(&certificate, None)
        );
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let pauses: Vec<_> = (1..30).map(|failures| pause(failures, b"a")).collect();
        assert!(pauses[0] >= FIRST_PAUSE && pauses[0] <= FIRST_PAUSE * 5 / 4);
        assert!(pauses[5] > pauses[0] * 20);
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4));
        assert!(pause(u32::MAX, b"a") >= LONGEST_PAUSE);
    }
}
