//! Several addresses at once: asked together, shown in their order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ravelin_client::{Request, Url};

use super::answer::Answer;
use super::{Asking, addresses, download};
use crate::failure::Failure;
use crate::words;

/// What became of one address, as far as it could without its turn.
enum Outcome {
    /// It is a file, or has been shown.
    Done,
    /// Nobody reads on.
    Enough,
    /// It waits to be shown.
    Waiting(Box<Answer>),
}

/// Asks for all, so many at a time. The exit code is that of the worst failure.
pub(super) async fn ask(
    asking: &Asking,
    requests: Vec<Request>,
    parallel: usize,
) -> Result<ExitCode, Failure> {
    let urls: Vec<Url> = requests.iter().map(|one| one.url().clone()).collect();
    // Files wait for no turn.
    let ahead = if asking.arguments.output.download {
        requests.len()
    } else {
        parallel.max(MOST_AHEAD)
    };
    let mut names = addresses::apart(urls.iter().map(download::name_of_url)).into_iter();
    let mut requests = requests.into_iter().enumerate();
    let turn = Cell::new(0);
    let (mut running, mut done) = (FuturesUnordered::new(), BTreeMap::new());
    let mut begun = 0;
    let mut worst = None;
    loop {
        while running.len() < parallel
            && begun < turn.get() + ahead
            && let (Some((place, request)), Some(name)) = (requests.next(), names.next())
        {
            let one = Box::pin(one(asking, request, name, place, &turn));
            running.push(async move { (place, one.await) });
            begun += 1;
        }
        let Some((place, outcome)) = running.next().await else {
            return Ok(exit_code(worst.as_ref()));
        };
        done.insert(place, outcome);
        while let Some(outcome) = done.remove(&turn.get()) {
            match show(asking, outcome).await {
                Ok(true) => {}
                Ok(false) => return Ok(exit_code(worst.as_ref())),
                Err(failure) => {
                    let failure = failure.about(urls[turn.get()].as_str());
                    words::say_failure(&failure);
                    worst = Some(failure.or_worse(worst));
                }
            }
            turn.set(turn.get() + 1);
        }
    }
}

fn exit_code(worst: Option<&Failure>) -> ExitCode {
    worst.map_or(ExitCode::SUCCESS, Failure::exit_code)
}

/// One of them, to its end or to where it waits for its turn.
async fn one(
    asking: &Asking,
    request: Request,
    name: PathBuf,
    place: usize,
    turn: &Cell<usize>,
) -> Result<Outcome, Failure> {
    if asking.arguments.output.download {
        // A file is shown to nobody.
        return asking.alone(request, name).await.map(|()| Outcome::Done);
    }
    let is_turn = || turn.get() == place;
    let mut answer = asking.send(request).await?;
    answer.hold(&is_turn).await?;
    if !is_turn() {
        return Ok(Outcome::Waiting(Box::new(answer)));
    }
    let reads_on = asking.show(&mut answer).await?;
    Ok(if reads_on {
        Outcome::Done
    } else {
        Outcome::Enough
    })
}

/// What is left to be done when its turn has come. Whether somebody reads on.
async fn show(asking: &Asking, outcome: Result<Outcome, Failure>) -> Result<bool, Failure> {
    match outcome? {
        Outcome::Done => Ok(true),
        Outcome::Enough => Ok(false),
        Outcome::Waiting(mut answer) => asking.show(&mut answer).await,
    }
}

/// How many may be asked for beyond the one that is waited for: they have to be held.
const MOST_AHEAD: usize = 256;
