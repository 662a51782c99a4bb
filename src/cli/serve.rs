//! `imgen serve`: opens the house, says where it stands, and waits for a signal.

use std::io::IsTerminal;
use std::net::TcpListener;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::app::{App, public_url};
use crate::config::Config;
use crate::config::service::LogFormat;

/// Exit status of a process that a second signal ended, as shells count it.
const INTERRUPTED: i32 = 130;

/// Serves until SIGTERM or Ctrl-C, then finishes or parks what runs. A second signal ends the process at once. SIGHUP has
/// the presets read again.
pub fn run(mut config: Config) -> Result<(), Failure> {
    start_log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(config.api.listen)
            .map_err(|error| format!("cannot listen on {}: {error}", config.api.listen))?;
        config.api.listen = listener.local_addr()?;
        if config.api.listen.ip().is_unspecified() && config.service.public_url.is_none() {
            tracing::warn!(
                "listening everywhere, but pre-signed URLs name this machine only; set IMGEN_PUBLIC_URL"
            );
        }
        let url = public_url(&config);
        let app = App::open(config).await?;
        let first_key = app.first_key().await?;
        greet(&app, &url, first_key.as_deref());
        tokio::spawn(at_each(signal(SignalKind::hangup())?, app.read_presets_again()));
        let signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
        app.serve(listener, stop_on(signals)).await?;
        Ok(())
    })
}

fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.service.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.service.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

async fn at_each(mut signal: Signal, act: impl Fn()) {
    while signal.recv().await.is_some() {
        act();
    }
}

async fn stop_on([mut terminate, mut interrupt]: [Signal; 2]) {
    either(&mut terminate, &mut interrupt).await;
    tracing::info!("stopping; what runs is finished or parked");
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        std::process::exit(INTERRUPTED);
    });
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn greet(app: &App, url: &str, first_key: Option<&str>) {
    for (name, found) in app.models() {
        match found {
            Ok(model) => println!(
                "model   {name}: {} M parameters, {} on {}",
                model.parameters / 1_000_000,
                model.dtype,
                model.device
            ),
            Err(reason) => println!("model   {name}: unavailable: {reason}"),
        }
    }
    println!("serving {url}/api/v2");
    match first_key {
        Some(key) => println!("key     {key}\n        (minted now, stored hashed, not shown again)"),
        None => println!("key     one that exists; `imgen keys create NAME` makes another"),
    }
    let key = first_key.unwrap_or("$KEY");
    println!(
        "try     curl -s {url}/api/v2 -H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json' \\\n          \
         -d '{{\"action\":\"generate\",\"prompt\":\"portrait of a woman, red hoodie, smiling, blue background\"}}'\nthen    \
         the same with -d '{{\"action\":\"status\",\"id\":\"run_…\"}}' until it is COMPLETED: meta.images[0].url is the picture"
    );
}
