//! The only place that knows every concrete type: opens the rooms, and opens the doors.
//!
//! The service and `imgen check` open the same rooms.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use time::OffsetDateTime;

use crate::api::{self, Desks, EnhanceDesk, Readiness, ReviewDesk, Services, VerifyDesk};
use crate::checkpoints::{self, Found};
use crate::compliance::{PictureFilter, Reviewer};
use crate::config::Config;
use crate::config::complaints::Complaints;
use crate::credentials::{Credentials, CredentialsConfig, CredentialsError, Reader};
use crate::diffusion::Engine;
use crate::finish::invisible_mark::{InvisibleMark, readers};
use crate::jobs::{self, Kitchen, Workers, Workshop};
use crate::presets::{Shelf, Watch};
use crate::storage::{Embedded, Storage};
use crate::store::{Attachment, Records, Store, StoreConfig, StoreError, ids};
use crate::verify::{Verifier, VerifyConfig};

/// Name of the key that `IMGEN_API_KEY` gives, and of the one minted at the first start.
const CONFIGURED_KEY: &str = "configured";
const FIRST_KEY: &str = "first";

/// How often it is asked whether a worker hangs and whether the certificate holds.
const LOOK_AFTER_EVERY: Duration = Duration::from_secs(5);

/// A house whose rooms are open and whose doors are not yet.
#[derive(Debug)]
pub struct App {
    config: Config,
    rooms: Rooms,
    store: Store,
    presets_watch: Watch,
}

/// Everything that can be opened without owning the data folder's queue.
#[derive(Debug)]
pub struct Rooms {
    pub presets: Arc<Shelf>,
    pub storage: Storage,
    pub embedded: Option<Embedded>,
    pub engine: Engine,
    /// Drawn where a request sends no mark of its own.
    pub brand_mark: Option<Attachment>,
    pub workshop: Workshop,
    pub reviewer: Reviewer,
    pub filter: PictureFilter,
    /// Each checkpoint that a preset names, as it was found, or why it cannot be drawn with.
    pub models: Vec<Found>,
}

/// What stopped the house.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("{}", list(.0))]
    Complaints(Complaints),
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    #[error("the credentials: {0}")]
    Credentials(#[from] CredentialsError),
    #[error("the listener: {0}")]
    Listener(#[from] std::io::Error),
    #[error("no thread that watches the presets: {0}")]
    Watch(#[source] std::io::Error),
}

fn list(complaints: &Complaints) -> String {
    let lines: Vec<_> = complaints.0.iter().map(|complaint| format!("\n  {complaint}")).collect();
    format!("this does not hold:{}", lines.concat())
}

impl Rooms {
    /// Opens presets, object store and engine, and tries each: every checkpoint is loaded, one object goes in and out.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub async fn open(config: &Config) -> Result<Self, Complaints> {
        let mut complaints = Complaints::default();
        config.service.validate_folders(&mut complaints);
        let reviews = config.compliance.open(&mut complaints);
        let service = &config.service;
        let presets = match Shelf::open(&service.presets_dir, &service.models_dir, &service.loras_dir) {
            Ok(presets) => Some(Arc::new(presets)),
            Err(found) => {
                complaints.0.extend(found.0);
                None
            }
        };
        let storage = open_storage(config, &mut complaints).await;
        let brand_mark = config.finish.open_brand_mark(&mut complaints).map(Attachment::new);
        let credentials =
            match Credentials::open(&config.c2pa, &config.store.data_dir, OffsetDateTime::now_utc()) {
                Ok(credentials) => Some(credentials),
                Err(error) => {
                    complaints.add("c2pa", error.to_string());
                    None
                }
            };
        let engine = match Engine::start(&config.diffusion) {
            Ok(engine) => Some(engine),
            Err(error) => {
                complaints.add("diffusion", error.to_string());
                None
            }
        };
        let mut models = Vec::new();
        if let (Some(presets), Some(engine)) = (&presets, &engine) {
            models = checkpoints::probe(engine.clone(), presets.clone(), &mut complaints).await;
        }
        let mark = config.mark.open().map_err(|error| complaints.add("mark", error.to_string())).ok();
        match (presets, storage, engine, credentials, mark, reviews) {
            (
                Some(presets),
                Some((storage, embedded)),
                Some(engine),
                Some(credentials),
                Some(mark),
                Some((reviewer, filter)),
            ) if complaints.is_empty() => {
                let avif = config.finish.avif_encoder;
                let workshop = Workshop { mark, credentials, avif };
                Ok(Self {
                    presets,
                    storage,
                    embedded,
                    engine,
                    brand_mark,
                    workshop,
                    reviewer,
                    filter,
                    models,
                })
            }
            _ => Err(complaints),
        }
    }
}

async fn open_storage(config: &Config, complaints: &mut Complaints) -> Option<(Storage, Option<Embedded>)> {
    let opened = if config.storage.endpoint.is_some() {
        Storage::connect(&config.storage).map(|storage| (storage, None)).map_err(|error| error.to_string())
    } else {
        Embedded::open(&objects_dir(config), &config.storage)
            .map(|embedded| {
                let storage = Storage::inside(&config.storage, &embedded, &public_url(config));
                (storage, Some(embedded))
            })
            .map_err(|error| error.to_string())
    };
    let (storage, embedded) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            complaints.add("storage", error);
            return None;
        }
    };
    if let Err(error) = storage.probe().await {
        complaints.add("storage", error.to_string());
        return None;
    }
    Some((storage, embedded))
}

fn objects_dir(config: &Config) -> PathBuf {
    config.store.data_dir.join("objects")
}

/// Where clients reach this service. An address that means all of this machine's is named as the loopback one.
pub fn public_url(config: &Config) -> String {
    match &config.service.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let mut address = config.api.listen;
            if address.ip().is_unspecified() {
                address.set_ip(if address.is_ipv4() {
                    Ipv4Addr::LOCALHOST.into()
                } else {
                    Ipv6Addr::LOCALHOST.into()
                });
            }
            format!("http://{address}")
        }
    }
}

/// The desk that reads pictures back; it reads the records' fingerprints beside the service's start.
fn open_verifier(
    mark: Arc<dyn InvisibleMark>,
    c2pa: &CredentialsConfig,
    store: &StoreConfig,
    config: &VerifyConfig,
) -> Result<Arc<Verifier>, AppError> {
    let reader = Reader::open(c2pa, &store.data_dir)?;
    let verifier = Arc::new(Verifier::new(reader, readers(mark), Records::open(store)?, config.limits()));
    let warming = verifier.clone();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = warming.warm_up() {
            tracing::warn!(%error, "the records' fingerprints could not be read yet");
        }
    });
    Ok(verifier)
}

impl App {
    /// Opens everything, and takes the data folder for this process.
    pub async fn open(config: Config) -> Result<Self, AppError> {
        let store = Store::open(&config.store)?;
        let rooms = Rooms::open(&config).await.map_err(AppError::Complaints)?;
        let (engine, presets) = (rooms.engine.clone(), rooms.presets.clone());
        let try_again = move || checkpoints::try_again(&engine, &presets);
        let presets_watch = Watch::start(rooms.presets.clone(), try_again).map_err(AppError::Watch)?;
        Ok(Self { config, rooms, store, presets_watch })
    }

    /// What has the presets read again at once, while the house lives, and the files of their checkpoints taken as they are
    /// then: one that was replaced is refused until somebody says that it may be another.
    pub fn read_presets_again(&self) -> impl Fn() + Send + Sync + use<> {
        self.presets_watch.nudge()
    }

    /// Each checkpoint that a preset names, as it was found, or why it cannot be drawn with.
    pub fn models(&self) -> &[Found] {
        &self.rooms.models
    }

    /// Sees to it that somebody can come in. The token of a key minted just now is returned, this once.
    pub async fn first_key(&self) -> Result<Option<String>, AppError> {
        let configured = &self.config.service.api_key;
        if !configured.is_empty() {
            self.store.ensure_key(CONFIGURED_KEY, configured.reveal()).await?;
            return Ok(None);
        }
        if !self.store.list_keys().await?.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.store.create_key(FIRST_KEY, ids::os_random()?).await?.token))
    }

    /// Serves on `listener` until `stop` resolves; then new connections are refused, answers under way end, and the
    /// running job is finished or parked.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), AppError> {
        // The watch ends with this function.
        let Self { config, rooms, store, presets_watch: _watch } = self;
        let readiness = Readiness::default();
        let together = rooms.engine.most_together();
        let workers = if config.jobs.workers == 0 { together } else { config.jobs.workers };
        let cook = || {
            let kitchen = Kitchen::new(
                rooms.engine.clone(),
                rooms.storage.clone(),
                store.clone(),
                jobs::look(rooms.reviewer.clone(), rooms.filter.clone()),
                rooms.workshop.clone(),
                rooms.presets.clone(),
                tokio::runtime::Handle::current(),
            );
            kitchen.into_cook()
        };
        let cooks = std::iter::repeat_with(cook).take(workers).collect();
        let Workshop { mark, credentials, .. } = rooms.workshop;
        let verifier = open_verifier(mark, &config.c2pa, &config.store, &config.verify)?;
        let workers = Arc::new(Workers::start(store.clone(), cooks, &config.jobs).await?);
        // Every checkpoint was tried when the rooms were opened, and one at least was loaded.
        readiness.set("model", Ok(()));
        checkpoints::note(&rooms.models, &rooms.presets);
        // So were the rules tried.
        readiness.set("compliance", Ok(()));
        readiness.set("worker", Ok(()));
        let presets = rooms.presets.clone();
        let watch =
            tokio::spawn(look_after(workers.clone(), credentials, rooms.filter, presets, readiness.clone()));
        let services = Data::new(Services::new(
            config.api,
            store.clone(),
            rooms.presets,
            rooms.storage,
            rooms.brand_mark,
            readiness,
            Desks {
                verify: VerifyDesk::new(verifier, config.verify),
                enhance: EnhanceDesk::new(&config.enhance, rooms.reviewer.clone()),
                review: ReviewDesk::new(rooms.reviewer, store.clone()),
            },
        ));
        let embedded = rooms.embedded;
        let mount = move |app: &mut ServiceConfig| {
            if let Some(embedded) = &embedded {
                api::objects::mount(app, embedded);
            }
        };
        let server = api::serve(listener, services, mount)?;
        let handle = server.handle();
        let stopped = tokio::spawn(async move {
            stop.await;
            watch.abort();
            // Together: answers under way need no worker, and whoever stops a container does not wait long.
            let workers = tokio::task::spawn_blocking(move || workers.stop_blocking());
            handle.stop(true).await;
            workers.await.unwrap_or(false)
        });
        let served = server.await;
        if served.is_ok() && !stopped.await.unwrap_or(false) {
            tracing::warn!("a worker did not react; its job runs again after the next start");
        }
        store.close().await;
        Ok(served?)
    }
}

/// A worker that hangs, as with a driver that does, makes the service not ready, so that whoever runs it restarts it. So
/// do a certificate that has run out and a filter that looks at no picture.
async fn look_after(
    workers: Arc<Workers>,
    credentials: Credentials,
    filter: PictureFilter,
    presets: Arc<Shelf>,
    readiness: Readiness,
) {
    loop {
        let signer = credentials.clone();
        // A renewal writes files.
        let checked = tokio::task::spawn_blocking(move || {
            signer.check(OffsetDateTime::now_utc()).map_err(|error| error.to_string())
        });
        readiness.set("signer", checked.await.unwrap_or_else(|error| Err(error.to_string())));
        let filter = filter.clone();
        // One that gave no answer is tried again, for as long as a picture may take.
        let checked = tokio::task::spawn_blocking(move || filter.check().map_err(|error| error.to_string()));
        readiness.set("picture_filter", checked.await.unwrap_or_else(|error| Err(error.to_string())));
        let available =
            if presets.can_draw() { Ok(()) } else { Err("no checkpoint can be loaded".to_owned()) };
        readiness.set("model", available);
        let state = if workers.stuck() { Err("a worker hangs".to_owned()) } else { Ok(()) };
        readiness.set("worker", state);
        tokio::time::sleep(LOOK_AFTER_EVERY).await;
    }
}
