//! Serving a folder: from a path to a response.
//!
//! Which file a path means is [`folder`]'s business, what is remembered of it [`cache`]'s, what is
//! sent of it [`chosen`]'s, how its bytes are read [`body`]'s, and how they are compressed
//! [`compress`]'s.

mod body;
mod cache;
mod chosen;
mod compress;
mod folder;

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

pub(crate) use self::body::FileBody;
use self::body::Piece;
pub(crate) use self::cache::Room;
use self::cache::{CODINGS, Cache, Coded, Content, Entry};
use self::chosen::Chosen;
use self::folder::{Folder, Found, Identity, Missing};
use crate::app::Answer;
use crate::body::Body;
use crate::conditional::{self, Decision};
use crate::listing;
use crate::negotiation::{AcceptEncoding, Coding};
use crate::page::CONTENT_SECURITY_POLICY;
use crate::path::{self, RequestPath};
use crate::reply;
use crate::site::Files;
use crate::worker::{Place, Turn};

/// Files shorter than this gain nothing from compression but headers.
const WORTH_COMPRESSING: u64 = 512;

/// How often the path of a folder is looked at again: releases are often switched by turning a
/// link. (What changes within the folder is seen at once.)
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is asked of a folder.
pub(crate) struct FileRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The path that the client asked for: all that it is shown.
    pub(crate) asked: &'a RequestPath<'a>,
    /// The path that is looked up, which is another one where the route rewrites it.
    pub(crate) path: &'a RequestPath<'a>,
    /// The client's query.
    pub(crate) query: Option<&'a str>,
}

/// A folder and how it is served, for one worker.
pub(crate) struct FileServer {
    options: Arc<Files>,
    /// Opened when it is asked for, and closed where the worker has too many open.
    folder: Rc<RefCell<Option<Opened>>>,
    cache: Cache,
    room: Rc<Room>,
    turn: Turn,
}

/// An open folder, and when it was last seen to be the one at its path.
pub(crate) struct Opened {
    folder: Rc<Folder>,
    looked: Instant,
    /// The turn in which the clock was last asked.
    turn: u64,
}

impl FileServer {
    pub(crate) fn new(options: Arc<Files>, place: &Place) -> Self {
        Self {
            options,
            folder: Rc::default(),
            cache: Cache::new(place.turn.clone(), place.room.clone()),
            room: place.room.clone(),
            turn: place.turn.clone(),
        }
    }

    /// How the folder is served.
    pub(crate) fn options(&self) -> &Files {
        &self.options
    }

    /// Answers a request for a file.
    pub(crate) fn answer(&self, request: &FileRequest<'_>) -> Answer {
        match *request.method {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(header::ALLOW, ALLOW);
                return Answer::Ready(response);
            }
            _ => {
                let mut response = reply::error(StatusCode::METHOD_NOT_ALLOWED, request.headers);
                response.headers_mut().insert(header::ALLOW, ALLOW);
                return Answer::Ready(response);
            }
        }
        if request.path.is_hidden() {
            return not_found(request);
        }
        let Ok(folder) = self.folder() else {
            return failed(request, StatusCode::INTERNAL_SERVER_ERROR);
        };
        let name = request.path.relative();
        if let Some(entry) = self.cache.get(&folder, name) {
            return self.respond(&folder, &entry, request);
        }
        let answer = match self.look_up(&folder, name, request) {
            Err(Missing::NotFound) => self.fall_back(&folder, request),
            answer => answer,
        };
        answer.unwrap_or_else(|missing| match missing {
            Missing::NotFound => not_found(request),
            Missing::Forbidden => failed(request, StatusCode::FORBIDDEN),
            Missing::Failed(_) => failed(request, StatusCode::SERVICE_UNAVAILABLE),
        })
    }

    /// Answers with the file for all that is not there. It is cached under its own name, so that
    /// paths that nobody will ask for again do not fill the cache.
    fn fall_back(&self, folder: &Folder, request: &FileRequest<'_>) -> Result<Answer, Missing> {
        let fallback = self.options.fallback.as_ref().ok_or(Missing::NotFound)?;
        let name = fallback.as_bytes();
        let entry = self.load(folder, name, name)?.ok_or(Missing::NotFound)?;
        Ok(self.respond(folder, &entry, request))
    }

    /// The folder, opened anew where another one has taken its place.
    fn folder(&self) -> std::io::Result<Rc<Folder>> {
        let turn = self.turn.number();
        let mut slot = self.folder.borrow_mut();
        if let Some(opened) = &mut *slot {
            if opened.turn == turn || opened.looked.elapsed() < LOOK_AGAIN {
                opened.turn = turn;
                return Ok(opened.folder.clone());
            }
            opened.turn = turn;
            opened.looked = Instant::now();
            if opened.folder.is_at(&self.options.root) {
                return Ok(opened.folder.clone());
            }
            self.cache.clear();
            *slot = None;
        }
        let folder = Rc::new(Folder::open(&self.options.root)?);
        *slot = Some(Opened {
            folder: folder.clone(),
            looked: Instant::now(),
            turn,
        });
        drop(slot);
        self.room.opened(&self.folder);
        Ok(folder)
    }

    /// Answers for a name that is not in the cache.
    fn look_up(
        &self,
        folder: &Rc<Folder>,
        name: &[u8],
        request: &FileRequest<'_>,
    ) -> Result<Answer, Missing> {
        let for_folder = name.is_empty() || name.ends_with(b"/");
        match folder.find(name)? {
            // `/file/` is not `/file`.
            Found::File(..) if for_folder => Err(Missing::NotFound),
            Found::File(file, stat) => {
                let entry = self.remember(name, name, file, (&stat).into())?;
                Ok(self.respond(folder, &entry, request))
            }
            // A rewriting may lose the slash that the client has put there: asking for it again
            // would go round in circles.
            Found::Folder(_) if !for_folder && request.asked.raw().ends_with('/') => {
                self.look_up(folder, &[name, b"/"].concat(), request)
            }
            Found::Folder(_) if !for_folder => Ok(add_slash(request)),
            Found::Folder(_) => {
                let index = [name, self.options.index.as_bytes()].concat();
                match self.load(folder, name, &index)? {
                    Some(entry) => Ok(self.respond(folder, &entry, request)),
                    None if self.options.listing => Ok(self.list(folder.clone(), name, request)),
                    None => Err(Missing::NotFound),
                }
            }
        }
    }

    /// A page that lists a folder. Reading a folder may wait for the disk: not on this thread.
    fn list(&self, folder: Rc<Folder>, name: &[u8], request: &FileRequest<'_>) -> Answer {
        let relative = name.to_vec();
        let path = request.asked.raw().to_owned();
        let head = *request.method == Method::HEAD;
        let headers = request.headers.clone();
        let compress = self.options.compress;
        Answer::Later(Box::pin(async move {
            let opened = folder.share();
            let page = tokio::task::spawn_blocking(move || {
                let entries = opened.ok()?.entries(&relative).ok()?;
                listing::render(&path, entries).ok()
            });
            let Ok(Some(page)) = page.await else {
                return reply::error(StatusCode::INTERNAL_SERVER_ERROR, &headers);
            };
            let mut page = Bytes::from(page);
            let mut response = Response::new(Body::empty());
            let fields = response.headers_mut();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            fields.insert(header::CONTENT_TYPE, html);
            fields.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
            fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            if compress {
                fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
                let coding = accepted(&headers).choose(&CODINGS);
                if let Some(header) = coding.header()
                    && let Some(coded) =
                        compress::whole(page.clone(), coding, compress::EACH_TIME).await
                {
                    fields.insert(header::CONTENT_ENCODING, header);
                    page = coded;
                }
            }
            fields.insert(header::CONTENT_LENGTH, page.len().into());
            if !head {
                *response.body_mut() = page.into();
            }
            response
        }))
    }

    /// Finds the file at `location` and keeps it under `name`; `None` where there is none.
    fn load(
        &self,
        folder: &Folder,
        name: &[u8],
        location: &[u8],
    ) -> Result<Option<Rc<Entry>>, Missing> {
        if let Some(entry) = self.cache.get(folder, name) {
            return Ok(Some(entry));
        }
        match folder.find(location) {
            Ok(Found::File(file, stat)) => self
                .remember(name, location, file, (&stat).into())
                .map(Some),
            Ok(Found::Folder(_)) | Err(Missing::NotFound) => Ok(None),
            Err(missing) => Err(missing),
        }
    }

    fn remember(
        &self,
        name: &[u8],
        location: &[u8],
        file: File,
        identity: Identity,
    ) -> Result<Rc<Entry>, Missing> {
        let content = if identity.size() <= cache::IN_MEMORY {
            // Small files are read here and now: handing them to another thread costs more than
            // the page cache does.
            let mut bytes = vec![0; identity.size() as usize];
            file.read_exact_at(&mut bytes, 0)
                .map_err(|_| Missing::NotFound)?;
            Content::Memory(bytes.into())
        } else {
            let size = identity.size();
            let file = Arc::new(file);
            Content::File { file, size }
        };
        let entry = Rc::new(Entry::new(location, identity, content));
        self.cache.insert(name, &entry);
        Ok(entry)
    }

    /// Answers with a file: the form of it that the client takes, if it has not got it already.
    fn respond(&self, folder: &Folder, entry: &Rc<Entry>, request: &FileRequest<'_>) -> Answer {
        let accepted = accepted(request.headers);
        if self.options.precompressed
            && entry.coding == Coding::Identity
            && let Some((coding, sibling)) = self.sibling(folder, entry, accepted)
        {
            let etag = sibling.etag.in_coding(coding.token());
            let chosen = Chosen {
                content: &sibling.content,
                etag: &etag,
                coding,
                ..Chosen::plain(&self.options, entry)
            };
            return Answer::Ready(chosen.send(request.method, request.headers));
        }
        let compressible = self.options.compress
            && entry.compressible
            && entry.size() >= WORTH_COMPRESSING
            // A range of what does not exist yet would have to be made from its beginning.
            && !request.headers.contains_key(header::RANGE);
        if compressible {
            let coding = accepted.choose(&CODINGS);
            if coding != Coding::Identity {
                return self.send_compressed(entry, coding, request);
            }
        }
        Answer::Ready(Chosen::plain(&self.options, entry).send(request.method, request.headers))
    }

    /// The precompressed file beside `entry` that the client likes best. One that is older than the
    /// file itself was left behind by an edit, and is not served.
    fn sibling(
        &self,
        folder: &Folder,
        entry: &Entry,
        accepted: AcceptEncoding,
    ) -> Option<(Coding, Rc<Entry>)> {
        if accepted.choose(&CODINGS) == Coding::Identity {
            return None;
        }
        let mut offered = self.cache.offered(folder, entry);
        while !offered.is_empty() {
            let coding = accepted.choose(&offered);
            if coding == Coding::Identity {
                return None;
            }
            let location = [&entry.location, coding.suffix().as_bytes()].concat();
            match self.load(folder, &location, &location) {
                // In whole seconds, which is what many tools copy of the file's own time.
                Ok(Some(sibling))
                    if sibling.identity.modified_second() >= entry.identity.modified_second() =>
                {
                    return Some((coding, sibling));
                }
                Ok(None) if folder.is_vacant(&location) => entry.note_lack(coding),
                _ => {}
            }
            offered.retain(|other| *other != coding);
        }
        None
    }

    /// Answers with a form of the file that is made on the way: once for files that are kept in
    /// memory, anew each time for longer ones.
    fn send_compressed(
        &self,
        entry: &Rc<Entry>,
        coding: Coding,
        request: &FileRequest<'_>,
    ) -> Answer {
        let (method, headers) = (request.method, request.headers);
        if let Some(coded) = entry.coded(coding).get() {
            let chosen = Chosen::coded(&self.options, entry, coding, coded.as_ref());
            return Answer::Ready(chosen.send(method, headers));
        }
        let etag = entry.etag.in_coding(coding.token());
        let chosen = Chosen {
            etag: &etag,
            coding,
            made: true,
            ..Chosen::plain(&self.options, entry)
        };
        let decision = conditional::decide(method, headers, chosen.validators());
        if decision == Decision::NotModified {
            return Answer::Ready(chosen.not_modified());
        }
        match &entry.content {
            Content::File { .. } if decision == Decision::PreconditionFailed => {
                failed(request, StatusCode::PRECONDITION_FAILED)
            }
            Content::File { file, .. } => {
                let mut response = Response::new(Body::empty());
                *response.headers_mut() = chosen.fields();
                if *method != Method::HEAD {
                    let source = FileBody::new(file.clone(), [Piece::Range(0, entry.size())]);
                    *response.body_mut() = compress::streaming(source, coding, &self.turn);
                }
                Answer::Ready(response)
            }
            Content::Memory(bytes) => {
                let (options, entry, bytes) = (self.options.clone(), entry.clone(), bytes.clone());
                let (method, headers) = (method.clone(), headers.clone());
                Answer::Later(Box::pin(async move {
                    let make = async || {
                        let content = compress::whole(bytes, coding, compress::ONCE).await?;
                        Some(Coded {
                            content: Content::Memory(content),
                            etag,
                        })
                    };
                    // Those who come meanwhile wait for the same one.
                    let coded = entry.coded(coding).get_or_init(make).await;
                    Chosen::coded(&options, &entry, coding, coded.as_ref()).send(&method, &headers)
                }))
            }
        }
    }
}

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

fn accepted(headers: &HeaderMap) -> AcceptEncoding {
    match headers.get(header::ACCEPT_ENCODING) {
        Some(_) => AcceptEncoding::of(headers),
        None => AcceptEncoding::UNSAID,
    }
}

fn not_found(request: &FileRequest<'_>) -> Answer {
    failed(request, StatusCode::NOT_FOUND)
}

fn failed(request: &FileRequest<'_>, status: StatusCode) -> Answer {
    Answer::Ready(reply::error(status, request.headers))
}

/// Sends the client from `/folder` to `/folder/`, so that relative links in its page work.
fn add_slash(request: &FileRequest<'_>) -> Answer {
    let query = request
        .query
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let location = format!("{}/{query}", path::plain(request.asked.raw()));
    match reply::redirect(StatusCode::PERMANENT_REDIRECT, &location) {
        Some(response) => Answer::Ready(response),
        None => failed(request, StatusCode::BAD_REQUEST),
    }
}
