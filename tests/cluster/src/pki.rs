//! The certificates and keys of a control plane, as kubeadm would make them; they live as long as its folder.

use crate::failure::{Context, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the files of a control plane stand.
pub(crate) struct Pki {
    directory: PathBuf,
}

impl Pki {
    /// Writes a new authority, and what it signed, into a directory.
    pub(crate) fn create(directory: PathBuf) -> Result<Self> {
        fs::create_dir_all(&directory).context(directory.display())?;
        let pki = Self { directory };
        pki.fill().context("certificates")?;
        Ok(pki)
    }

    /// A file of it, such as `ca.crt`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn fill(&self) -> Result<()> {
        let mut params = named("proof-ca", None)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().context("a key")?;
        let authority = params.self_signed(&key).context("the authority")?;
        self.write("ca.crt", &authority.pem())?;
        let issuer = Issuer::new(params, key);

        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut server = named("kube-apiserver", None)?;
        server.subject_alt_names = CertificateParams::new(names).context("names")?.subject_alt_names;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.signed("apiserver", &server, &issuer)?;

        let mut admin = named("kubernetes-admin", Some("system:masters"))?;
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.signed("admin", &admin, &issuer)?;

        let accounts = KeyPair::generate().context("a key")?;
        self.write("sa.key", &accounts.serialize_pem())?;
        self.write("sa.pub", &accounts.public_key_pem())
    }

    fn signed(&self, name: &str, params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Result<()> {
        let key = KeyPair::generate().context("a key")?;
        let certificate: Certificate = params.signed_by(&key, issuer).context(name)?;
        self.write(&format!("{name}.crt"), &certificate.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path: &Path = &self.file(name);
        fs::write(path, text).context(path.display())
    }
}

fn named(name: &str, group: Option<&str>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).context(name)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    Ok(params)
}
