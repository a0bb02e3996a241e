//! Standard input and output where both are a terminal: lines are edited before they are sent, and what the server
//! says meanwhile stands above them.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};
use tokio::sync::mpsc::{Sender, channel};

use super::ends::{Input, Output, QUEUED};
use super::harmless::Harmless;

mod keys;
mod line;

use keys::{Key, Keys};
use line::{Line, Pressed};

/// Whether both ends are a terminal that can move its cursor.
pub(super) fn is_possible() -> bool {
    let can_move = std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
    can_move && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal, which is given back as it was when this is dropped.
pub(super) struct Editing(Arc<Mutex<Screen>>);

struct Screen {
    line: Line,
    /// How the terminal was; none once it has been given back.
    before: Option<Termios>,
}

impl Editing {
    /// Takes the terminal: what is typed, and where to write.
    pub(super) fn begin(crlf: bool) -> io::Result<(Self, Input, Output)> {
        let screen = Screen {
            line: Line::default(),
            before: Some(take_terminal()?),
        };
        let screen = Arc::new(Mutex::new(screen));
        let editing = Self(screen.clone());
        let (sender, receiver) = channel(QUEUED);
        let typing = screen.clone();
        thread::Builder::new().spawn(move || {
            if let Err(error) = read(&sender, &typing, crlf) {
                // Who would be told may have ended.
                let _ = sender.blocking_send(Err(error));
            }
        })?;
        let mut harmless = Harmless::default();
        let output = Output::by(move |piece| lock(&screen).tell(&harmless.show(piece)))?;
        Ok((editing, Input::of(receiver), output))
    }
}

impl Drop for Editing {
    fn drop(&mut self) {
        // There is nobody to be told of a terminal that is gone.
        let _ = lock(&self.0).give_back();
    }
}

/// Reads keys until there are no more, or until nobody wants any.
fn read(
    sender: &Sender<io::Result<Vec<u8>>>,
    screen: &Mutex<Screen>,
    crlf: bool,
) -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut keys = Keys::default();
    let mut octets = [0; 4096];
    loop {
        let read = match stdin.read(&mut octets) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for octet in octets.get(..read).unwrap_or_default() {
            let Some(key) = keys.take(*octet) else {
                continue;
            };
            // Not held while waiting for room: what the server says is written meanwhile.
            let pressed = lock(screen).press(key)?;
            match pressed {
                Pressed::Sent(line) => {
                    let end = if crlf { "\r\n" } else { "\n" };
                    if sender.blocking_send(Ok((line + end).into_bytes())).is_err() {
                        return Ok(());
                    }
                }
                Pressed::Ended => return Ok(()),
                _ => {}
            }
        }
    }
}

impl Screen {
    fn press(&mut self, key: Key) -> io::Result<Pressed> {
        // What is drawn for a line that is sent has to be known before it is gone.
        let begun = self.line.given_up();
        let pressed = self.line.press(key);
        match &pressed {
            Pressed::Sent(line) => write(&(begun + &line::visible(line) + "\n"))?,
            Pressed::Ended => self.give_back()?,
            Pressed::Interrupted => {
                self.give_back()?;
                // As it would have been without editing: whoever waits for us sees what ended us.
                kill_process(getpid(), Signal::INT)?;
            }
            Pressed::Stopped => {
                self.give_back()?;
                kill_current_process_group(Signal::TSTP)?;
                // Another thread may be the one that is stopped first: the terminal is taken when we go on.
                thread::sleep(STOPPING);
                self.before = Some(take_terminal()?);
            }
            Pressed::Edited => {}
        }
        self.draw()?;
        Ok(pressed)
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        if self.before.is_none() {
            return write(text);
        }
        write(&self.line.told(text, columns()))
    }

    fn draw(&self) -> io::Result<()> {
        match self.before {
            Some(_) => write(&self.line.drawn(columns())),
            None => Ok(()),
        }
    }

    /// Gives the terminal back as it was, with what is typed and not sent taken away.
    fn give_back(&mut self) -> io::Result<()> {
        if let Some(before) = self.before.take() {
            write(&self.line.given_up())?;
            tcsetattr(io::stdin(), OptionalActions::Drain, &before)?;
        }
        Ok(())
    }
}

/// Lets each key come at once and unseen, and those that stop programs too. How it was.
fn take_terminal() -> io::Result<Termios> {
    let before = tcgetattr(io::stdin())?;
    let mut modes = before.clone();
    modes
        .local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
    // Ctrl-S would stop all, for those who do not know of Ctrl-Q for ever.
    modes.input_modes.remove(InputModes::IXON);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(io::stdin(), OptionalActions::Drain, &modes)?;
    Ok(before)
}

fn columns() -> usize {
    let size = tcgetwinsize(io::stdout()).map(|size| size.ws_col);
    size.ok()
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
        .into()
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long it may take until all threads have stopped. Where nothing stops us, it goes on then.
const STOPPING: Duration = Duration::from_millis(50);
