//! A program of the operator's that signs: a key management service, a smart card, an HSM.

use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::config::Argv;
use super::error::CredentialsError;

/// Longest answer that is read. A DER signature is 72 bytes at most.
const MAX_ANSWER_BYTES: u64 = 1024;
/// Pause between looks at whether the program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Runs the program once a signature.
#[derive(Debug, Clone)]
pub(super) struct SignerCommand {
    argv: Argv,
    timeout: Duration,
}

impl SignerCommand {
    pub(super) fn new(argv: Argv, timeout: Duration) -> Self {
        Self { argv, timeout }
    }

    pub(super) fn program(&self) -> &str {
        self.argv.0.first().map(String::as_str).unwrap_or_default()
    }

    /// Hands over `data` and returns what came back, whatever it is; who asked checks it against the certificate.
    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CredentialsError> {
        let deadline = Instant::now() + self.timeout;
        let mut child = Command::new(self.program())
            .args(self.argv.0.iter().skip(1))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|e| self.failed(format!("does not start: {e}"), e.kind() == ErrorKind::WouldBlock))?;
        let answer = talk(&mut child, data.to_vec());
        let ended = wait(&mut child, deadline);
        if !matches!(ended, Ok(Some(_))) {
            // It is gone or cannot be waited for; either way nothing more is expected of it.
            let _ = child.kill();
            let _ = child.wait();
        }
        match ended {
            Err(e) => Err(self.failed(format!("cannot be waited for: {e}"), false)),
            Ok(None) => Err(self.failed(format!("took longer than {} s", self.timeout.as_secs()), true)),
            Ok(Some(status)) if !status.success() => Err(self.failed(format!("ended with {status}"), true)),
            // A child of its own may hold the pipe open after it.
            Ok(Some(_)) => match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(bytes)) => Ok(bytes),
                Ok(Err(e)) => Err(self.failed(format!("cannot be read: {e}"), true)),
                Err(_) => Err(self.failed("did not close its standard output".to_owned(), true)),
            },
        }
    }

    pub(super) fn failed(&self, detail: String, is_temporary: bool) -> CredentialsError {
        CredentialsError::Command { program: self.program().to_owned(), detail, is_temporary }
    }
}

/// Writes and reads at once, on threads of their own: a program may answer before it has read everything, or never read.
/// Threads that hang on a pipe end with whoever holds its other end.
fn talk(child: &mut Child, data: Vec<u8>) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (tell, answer) = mpsc::channel();
    if let Some(mut input) = child.stdin.take() {
        thread::spawn(move || {
            // One that answers without having read it all breaks the pipe; its answer is judged all the same.
            let _ = input.write_all(&data);
        });
    }
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(MAX_ANSWER_BYTES).read_to_end(&mut bytes).map(|_| bytes);
            // Nobody listens any more once the time is up.
            let _ = tell.send(read);
        });
    }
    answer
}

fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> SignerCommand {
        SignerCommand::new(
            Argv(words.iter().map(|word| (*word).to_owned()).collect()),
            Duration::from_millis(400),
        )
    }

    #[test]
    fn what_goes_in_comes_back_through_cat() {
        assert_eq!(command(&["cat"]).sign(b"bytes").unwrap(), b"bytes");
    }

    #[test]
    fn one_that_hangs_is_ended() {
        for words in [&["sleep", "60"][..], &["sh", "-c", "sleep 60 & exit 0"]] {
            let begun = Instant::now();
            let error = command(words).sign(b"x").unwrap_err();
            assert!(error.is_temporary(), "{error}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{error}");
        }
    }

    #[test]
    fn one_that_is_not_there_or_fails_is_named() {
        let missing = command(&["/nowhere/sign"]).sign(b"x").unwrap_err();
        assert!(missing.to_string().contains("/nowhere/sign") && !missing.is_temporary());
        let failed = command(&["sh", "-c", "exit 3"]).sign(b"x").unwrap_err().to_string();
        assert!(failed.contains("exit status: 3"), "{failed}");
    }

    #[test]
    fn there_is_no_shell() {
        assert_eq!(command(&["echo", "$HOME;x"]).sign(b"").unwrap(), b"$HOME;x\n");
    }
}
