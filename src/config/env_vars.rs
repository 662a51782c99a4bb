//! Every variable of the environment that imgen reads, and where it lands in the configuration.
//!
//! The table in `docs/configuration.md` is checked against this one.

/// One variable: it sets `[section] field` and wins over the file.
#[derive(Debug)]
pub struct EnvVar {
    pub name: &'static str,
    pub section: &'static str,
    pub field: &'static str,
    pub kind: Kind,
    /// What holds when nobody says anything; empty for none.
    pub default: &'static str,
    pub meaning: &'static str,
}

/// How the text of a variable becomes a value of the file's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    /// `true` or `false`.
    Flag,
}

const fn text(
    name: &'static str,
    section: &'static str,
    field: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> EnvVar {
    EnvVar { name, section, field, kind: Kind::Text, default, meaning }
}

const fn integer(
    name: &'static str,
    section: &'static str,
    field: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> EnvVar {
    EnvVar { name, section, field, kind: Kind::Integer, default, meaning }
}

const fn flag(
    name: &'static str,
    section: &'static str,
    field: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> EnvVar {
    EnvVar { name, section, field, kind: Kind::Flag, default, meaning }
}

/// Names the configuration file; not itself part of the configuration.
pub const CONFIG_FILE: &str = "IMGEN_CONFIG";

/// All variables, in the order of the documentation.
pub const ENV_VARS: &[EnvVar] = &[
    text("IMGEN_LISTEN", "api", "listen", "127.0.0.1:8080", "address and port to serve on"),
    text(
        "IMGEN_PUBLIC_URL",
        "service",
        "public_url",
        "http:// and the listen address",
        "where clients reach this service; embedded pre-signed URLs begin with it",
    ),
    text(
        "IMGEN_API_KEY",
        "service",
        "api_key",
        "",
        "a fixed API key for scripted use, 32 to 256 characters of a-z, A-Z, 0-9, `_` and `-`; without it one is minted at the first start",
    ),
    integer(
        "IMGEN_RATE_LIMIT_PER_MIN",
        "api",
        "generate_per_minute",
        "120",
        "`generate` calls a key may make a minute; status polls are free",
    ),
    text(
        "IMGEN_LOG",
        "service",
        "log",
        "info,actix_server=warn,c2pa=warn",
        "what is logged, as a tracing filter such as `info,imgen=debug`",
    ),
    text("IMGEN_LOG_FORMAT", "service", "log_format", "text", "`text` or `json`"),
    text(
        "IMGEN_DATA_DIR",
        "store",
        "data_dir",
        "data",
        "database, embedded objects and their access key, the keys and certificates that pictures are signed with",
    ),
    text(
        "IMGEN_MODELS_DIR",
        "service",
        "models_dir",
        "models",
        "checkpoints: `.safetensors` files, or folders in diffusers' layout",
    ),
    text(
        "IMGEN_PRESETS_DIR",
        "service",
        "presets_dir",
        "presets",
        "models, styles, characters and random prompts as data",
    ),
    text(
        "IMGEN_LORAS_DIR",
        "service",
        "loras_dir",
        "loras",
        "LoRA files, each with its entry in the register",
    ),
    text("IMGEN_DEVICE", "diffusion", "device", "auto", "`auto`, `cpu` or `cuda:N`"),
    text("IMGEN_DTYPE", "diffusion", "dtype", "auto", "`auto`, `f32`, `bf16` or `f16`"),
    integer("IMGEN_THREADS", "diffusion", "threads", "0", "CPU threads of the pipeline; 0 takes all cores"),
    integer(
        "IMGEN_RESIDENT_CHECKPOINTS",
        "diffusion",
        "resident_checkpoints",
        "2",
        "checkpoints kept in memory at most; the one unused for longest goes first",
    ),
    integer(
        "IMGEN_MEMORY_BUDGET_MB",
        "diffusion",
        "memory_budget_mb",
        "0",
        "MiB that checkpoints may take together; 0: half of the machine's memory on the CPU, no bound on a GPU",
    ),
    integer(
        "IMGEN_IDLE_UNLOAD_S",
        "diffusion",
        "idle_unload_s",
        "900",
        "seconds after which a checkpoint that nobody asked for leaves memory; 0: never",
    ),
    text(
        "IMGEN_DETERMINISTIC",
        "diffusion",
        "deterministic",
        "auto",
        "`auto`, `always` or `never`: whether no picture's bytes may depend on those beside it, so that none is drawn beside it; `auto` is `always` on the CPU",
    ),
    integer(
        "IMGEN_BATCH",
        "diffusion",
        "batch",
        "4",
        "waiting pictures of the same shape that are drawn together at most, where `deterministic` leaves that open",
    ),
    text(
        "IMGEN_LIBTORCH",
        "service",
        "libtorch_dir",
        "",
        "the `lib` folder of a full CUDA libtorch 2.11, to use a GPU",
    ),
    text(
        "IMGEN_BRAND_MARK",
        "finish",
        "brand_mark",
        "",
        "a PNG, JPEG, WebP or SVG that is drawn on each picture whose request sends no `wm_image`",
    ),
    text("IMGEN_S3_ENDPOINT", "storage", "endpoint", "", "another S3 store; empty for the embedded one"),
    text(
        "IMGEN_S3_BUCKET",
        "storage",
        "bucket",
        "objects",
        "its bucket; embedded, the first path segment of every object's URL",
    ),
    text("IMGEN_S3_REGION", "storage", "region", "us-east-1", "its region"),
    text("IMGEN_S3_ACCESS_KEY", "storage", "access_key", "", "its access key"),
    text("IMGEN_S3_SECRET_KEY", "storage", "secret_key", "", "its secret key"),
    text(
        "IMGEN_S3_PUBLIC_URL",
        "storage",
        "public_url",
        "the endpoint",
        "where clients reach that store, when it is not where the service does",
    ),
    integer(
        "IMGEN_PRESIGN_TTL_S",
        "storage",
        "presign_ttl_s",
        "3600",
        "seconds that a pre-signed URL is good for",
    ),
    integer("IMGEN_MAX_QUEUE", "store", "max_queue", "1000", "waiting jobs before `generate` answers 429"),
    integer(
        "IMGEN_JOB_TIMEOUT_S",
        "jobs",
        "timeout_s",
        "1800",
        "seconds a job may run before it is TIMED_OUT",
    ),
    integer(
        "IMGEN_WORKERS",
        "jobs",
        "workers",
        "0",
        "jobs that are worked on at once: while one is finished and uploaded, the next is drawn; 0: as many as are drawn together, which on the CPU is one",
    ),
    text(
        "IMGEN_C2PA_CHAIN",
        "c2pa",
        "chain_file",
        "",
        "an operator's certificate chain, PEM; without it the service makes a root and a certificate of its own",
    ),
    text("IMGEN_C2PA_KEY", "c2pa", "key_file", "", "the chain's P-256 key, PKCS#8 PEM, plain or encrypted"),
    text("IMGEN_C2PA_KEY_PASSWORD", "c2pa", "key_password", "", "the password of an encrypted key"),
    text(
        "IMGEN_C2PA_SIGNER",
        "c2pa",
        "signer_command",
        "",
        "a program that signs instead of a key: words, or a JSON list",
    ),
    text("IMGEN_C2PA_TSA_URL", "c2pa", "timestamp_url", "", "an RFC 3161 time-stamp authority"),
    text(
        "IMGEN_C2PA_TSA_POLICY",
        "c2pa",
        "timestamp_policy",
        "required",
        "`required`: no picture without a time-stamp; or `best_effort`",
    ),
    text(
        "IMGEN_C2PA_TRUST_ANCHORS",
        "c2pa",
        "trust_anchors_file",
        "",
        "more roots that `verify` trusts, PEM",
    ),
    text(
        "IMGEN_C2PA_ORGANIZATION",
        "c2pa",
        "organization",
        "imgen",
        "name in manifests, and in the certificates that the service makes",
    ),
    text(
        "IMGEN_MODERATION_URL",
        "compliance",
        "moderation_url",
        "",
        "a moderation endpoint that is asked of every prompt, up to its `/moderations`",
    ),
    text("IMGEN_MODERATION_KEY", "compliance", "moderation_key", "", "its key, where it wants one"),
    text(
        "IMGEN_PICTURE_MODEL",
        "compliance",
        "picture_model",
        ".filters/open-nsfw.onnx",
        "the network that looks at every picture before it is delivered",
    ),
    flag(
        "IMGEN_VERIFY_PUBLIC",
        "verify",
        "public",
        "true",
        "whether the verify page and the soft-binding routes answer without an API key",
    ),
    text(
        "IMGEN_ENHANCE",
        "enhance",
        "kind",
        "embedded",
        "who enhances prompts: `embedded`, `openai` or `none`",
    ),
    text(
        "IMGEN_ENHANCE_MODEL_FILE",
        "enhance",
        "model_file",
        ".enhancer/SmolLM2-135M-Instruct.Q4_1.gguf",
        "the embedded model, which set-up fetches",
    ),
    text(
        "IMGEN_ENHANCE_URL",
        "enhance",
        "base_url",
        "",
        "for `openai`: an endpoint up to its `/chat/completions`, such as `http://127.0.0.1:11434/v1`",
    ),
    text("IMGEN_ENHANCE_MODEL", "enhance", "model", "", "for `openai`: the model's name there"),
    text("IMGEN_ENHANCE_API_KEY", "enhance", "api_key", "", "for `openai`: its key, where it wants one"),
    integer(
        "IMGEN_ENHANCE_TIMEOUT_S",
        "enhance",
        "timeout_s",
        "20",
        "seconds that the model may take for one enhancement, all attempts together",
    ),
];
