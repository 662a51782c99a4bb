//! The service's own certificates: made once, kept closed, renewed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use time::Duration;

use super::*;

fn open(data: &Path, at: OffsetDateTime) -> Result<Credentials, CredentialsError> {
    Credentials::open(&CredentialsConfig::default(), data, at)
}

#[test]
fn made_at_the_first_start_and_found_at_the_next() {
    let data = tempfile::tempdir().unwrap();
    let first = open(data.path(), now()).unwrap();
    let folder = data.path().join("credentials");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| mode(&folder.join(name)) == 0o600), "{names:?}");
    let second = open(data.path(), now()).unwrap();
    assert_eq!(first.root_pem(), second.root_pem());
    assert_eq!(first.chain().leaf().der, second.chain().leaf().der);
    assert!(!first.root_pem().unwrap().contains("PRIVATE"));
    let leaf = first.chain().leaf().clone();
    assert_eq!((leaf.organization.as_str(), leaf.common_name.as_str()), ("imgen", "imgen image signer"));
    assert!(leaf.not_after - leaf.not_before <= Duration::days(366));
    assert_eq!(first.chain().certificates().len(), 2);
}

#[test]
fn many_processes_at_once_end_with_one_root() {
    let data = tempfile::tempdir().unwrap();
    let roots: Vec<String> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| open(data.path(), now()).unwrap().root_pem().unwrap().to_owned()))
            .collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    assert!(roots.iter().all(|root| *root == roots[0]));
    let after = open(data.path(), now()).unwrap();
    assert_eq!(after.root_pem(), Some(roots[0].as_str()));
    assert_eq!(
        after
            .sign(&encoded(Format::Png), Format::Png, &claim(&provenance()))
            .map(|_| ())
            .map_err(|e| e.to_string()),
        Ok(())
    );
}

#[test]
fn the_certificate_is_renewed_a_month_before_its_end_and_stays_renewed() {
    let data = tempfile::tempdir().unwrap();
    // Made 340 days ago, as far as it is concerned: 25 days are left.
    let before = now() - Duration::days(340);
    let own = OwnRoot::open(data.path(), "Long Ago Ltd", before).unwrap();
    let old = own.signer("Long Ago Ltd", before).unwrap();
    assert!(old.chain.check_time(now()).is_ok() && is_due(&old.chain, now()));
    let opened = open(data.path(), now()).unwrap();
    let renewed = opened.chain();
    assert_ne!(renewed.leaf().der, old.chain.leaf().der);
    assert!(renewed.leaf().not_after > now() + Duration::days(360));
    assert_eq!(open(data.path(), now()).unwrap().chain().leaf().der, renewed.leaf().der);
    // While it runs, `check` does the same.
    opened.check(now() + Duration::days(334)).unwrap();
    assert_eq!(opened.chain().leaf().der, renewed.leaf().der);
    opened.check(now() + Duration::days(336)).unwrap();
    let later = opened.chain();
    assert_ne!(later.leaf().der, renewed.leaf().der);
    assert!(later.leaf().not_after > now() + Duration::days(690));
    assert_eq!(later.leaf().organization, "imgen", "renewed under the present name");
}

#[test]
fn a_renewal_that_cannot_be_kept_leaves_the_old_until_it_ends() {
    let data = tempfile::tempdir().unwrap();
    let opened = open(data.path(), now()).unwrap();
    fs::remove_dir_all(data.path().join("credentials")).unwrap();
    let old = opened.chain();
    opened.check(now() + Duration::days(340)).unwrap();
    assert_eq!(opened.chain().leaf().der, old.leaf().der);
    let ended = opened.check(now() + Duration::days(366)).unwrap_err();
    assert!(matches!(ended, CredentialsError::Expired { .. }), "{ended}");
}

#[test]
fn a_clock_before_the_root_is_named() {
    let data = tempfile::tempdir().unwrap();
    let opened = open(data.path(), now()).unwrap();
    let early = opened.check(now() - Duration::days(1)).unwrap_err();
    assert!(matches!(early, CredentialsError::NotYetValid { .. }), "{early}");
    opened.check(now()).unwrap();
}

#[test]
fn a_broken_signer_is_replaced_a_broken_root_is_not() {
    let data = tempfile::tempdir().unwrap();
    let first = open(data.path(), now()).unwrap();
    let folder = data.path().join("credentials");
    for broken in ["", "not PEM", first.root_pem().unwrap()] {
        fs::write(folder.join("signer.pem"), broken).unwrap();
        let again = open(data.path(), now()).unwrap();
        assert_eq!(again.root_pem(), first.root_pem());
        assert_ne!(again.chain().leaf().der, first.chain().leaf().der);
    }
    // A signer of another root's, whole in itself.
    let other = tempfile::tempdir().unwrap();
    open(other.path(), now()).unwrap();
    fs::copy(other.path().join("credentials/signer.pem"), folder.join("signer.pem")).unwrap();
    let again = open(data.path(), now()).unwrap();
    assert!(
        again.chain().is_under(
            &chain::certificates(first.root_pem().unwrap().as_bytes(), Path::new("root")).unwrap()[0]
        )
    );
    fs::write(folder.join("root.pem"), "not PEM").unwrap();
    let refused = open(data.path(), now()).unwrap_err();
    assert!(matches!(refused, CredentialsError::Malformed { .. }), "{refused}");
}
