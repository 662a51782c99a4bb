//! What the house was told: a file, then the environment, checked all at once.
//!
//! Each room owns its section; this room composes them and is the only one that reads the environment.
//!
//! - [`complaints`]: the list of all that is wrong
//! - [`env_vars`]: every variable, as a table
//! - [`service`]: the section of no single room
//! - [`load`]: file and environment into [`Config`]

pub mod complaints;
pub mod env_vars;
pub mod load;
pub mod service;

use crate::api::ApiConfig;
use crate::compliance::ComplianceConfig;
use crate::credentials::CredentialsConfig;
use crate::diffusion::DiffusionConfig;
use crate::enhance::EnhanceConfig;
use crate::finish::FinishConfig;
use crate::finish::invisible_mark::MarkConfig;
use crate::jobs::JobsConfig;
use crate::storage::StorageConfig;
use crate::store::StoreConfig;
use crate::verify::VerifyConfig;
use complaints::Complaints;
use service::ServiceConfig;

/// Everything that can be set, by section.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub service: ServiceConfig,
    pub api: ApiConfig,
    pub storage: StorageConfig,
    pub diffusion: DiffusionConfig,
    pub finish: FinishConfig,
    pub mark: MarkConfig,
    pub jobs: JobsConfig,
    pub store: StoreConfig,
    pub c2pa: CredentialsConfig,
    pub verify: VerifyConfig,
    pub compliance: ComplianceConfig,
    pub enhance: EnhanceConfig,
}

impl Config {
    /// Every section's complaints, and those that span sections.
    pub fn validate(&self, complaints: &mut Complaints) {
        self.service.validate(complaints);
        self.api.validate(complaints);
        self.storage.validate(complaints);
        self.diffusion.validate(complaints);
        self.mark.validate(complaints);
        self.jobs.validate(complaints);
        self.store.validate(complaints);
        self.c2pa.validate(complaints);
        self.verify.validate(complaints);
        self.compliance.validate(complaints);
        self.enhance.validate(complaints);
    }
}
