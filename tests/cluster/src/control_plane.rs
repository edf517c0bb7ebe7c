use crate::assets::Release;
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::kubectl::Kubectl;
use crate::pki::Pki;
use crate::process::{Process, free_port, wait_for};
use crate::workplace;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const START: Duration = Duration::from_secs(90);

/// etcd, an API server and the controllers, on the loopback, with a state of their own that is gone afterwards.
pub(crate) struct ControlPlane {
    /// As its administrator.
    pub(crate) kubectl: Kubectl,
    /// The API, as its administrator.
    pub(crate) api: Http,
    server: String,
    pki: Pki,
    // Dropped in this order: who talks to another goes first.
    _proxy: Process,
    controllers: Option<Process>,
    _apiserver: Process,
    _etcd: Process,
    directory: tempfile::TempDir,
}

impl ControlPlane {
    pub(crate) fn start(release: &Release) -> Result<Self> {
        let directory = workplace::folder("plane-")?;
        let place = directory.path();
        let pki = Pki::create(place.join("pki"))?;
        let (etcd, storage) = etcd(release, place)?;
        let port = free_port()?;
        let server = format!("https://127.0.0.1:{port}");
        let mut apiserver = apiserver(release, place, &pki, port, &storage)?;

        let kubeconfig = place.join("admin.kubeconfig");
        let user = json!({
            "client-certificate": pki.file("admin.crt"),
            "client-key": pki.file("admin.key"),
        });
        write_kubeconfig(&kubeconfig, &server, &pki, &user)?;
        let kubectl = Kubectl::new(&release.kubectl, kubeconfig, place);

        let port = free_port()?;
        let proxied = ["proxy", "--port", &port.to_string()].map(str::to_owned);
        let proxy = Process::start("kubectl-proxy", &release.kubectl, proxied, &kubectl.environment(), place)?;
        let api = Http::at(port);
        apiserver.wait_until(START, || api.is_ok("/readyz"))?;

        let controllers = match &release.controller_manager {
            Some(program) => Some(controller_manager(program, place, &pki, &kubectl)?),
            None => None,
        };
        let started = Self {
            kubectl,
            api,
            server,
            pki,
            _proxy: proxy,
            controllers,
            _apiserver: apiserver,
            _etcd: etcd,
            directory,
        };
        started.wait_until_settled()?;
        Ok(started)
    }

    /// Its folder: logs, and whatever a proof needs for as long as it runs.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Whether objects have the controllers that act on them.
    pub(crate) fn has_controllers(&self) -> bool {
        self.controllers.is_some()
    }

    /// A configuration for programs, with the token that a pod of this ServiceAccount would get.
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let asked = ["create", "token", account, "--namespace", namespace, "--duration", "1h"];
        let token = self.kubectl.run(&asked)?.ok(&format!("a token for {namespace}/{account}"))?;
        let path = self.directory().join(format!("{namespace}-{account}.kubeconfig"));
        write_kubeconfig(&path, &self.server, &self.pki, &json!({ "token": token.trim() }))?;
        Ok(path)
    }

    /// The API server's address, for programs that speak TLS.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Where pods are told to find the API.
    pub(crate) fn in_cluster(&self) -> [(&'static str, &str); 2] {
        let address = self.server.trim_start_matches("https://");
        let (host, port) = address.split_once(':').unwrap_or((address, "443"));
        [("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", port)]
    }

    /// The certificate of this machine and its key.
    pub(crate) fn serving_certificate(&self) -> [PathBuf; 2] {
        ["apiserver.crt", "apiserver.key"].map(|name| self.pki.file(name))
    }

    /// The certificate of who signed them all.
    pub(crate) fn authority(&self) -> PathBuf {
        self.pki.file("ca.crt")
    }

    /// Writes what a pod of a ServiceAccount finds of it: the authority and the token of a configuration made by
    /// [`Self::kubeconfig_of`].
    pub(crate) fn write_rights(&self, kubeconfig: &Path, into: &Path) -> Result<()> {
        let text = fs::read_to_string(kubeconfig).context(kubeconfig.display())?;
        let config: Value = serde_json::from_str(&text).context(kubeconfig.display())?;
        let token = config.pointer("/users/0/user/token").and_then(Value::as_str).unwrap_or_default();
        fs::write(into.join("token"), token).context(into.display())?;
        fs::copy(self.authority(), into.join("ca.crt")).context(into.display()).map(drop)
    }

    /// Namespaces, the roles that every cluster has, and the accounts that pods need are there only after a moment.
    fn wait_until_settled(&self) -> Result<()> {
        let mut wanted = vec!["/api/v1/namespaces/kube-system", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view"];
        if self.has_controllers() {
            wanted.push("/api/v1/namespaces/default/serviceaccounts/default");
            wanted.push("/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
            wanted.push("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt");
        }
        for path in wanted {
            if !wait_for(START, || self.api.is_ok(path)) {
                return Err(Failure::new(format!("the new control plane has no {path}")));
            }
        }
        Ok(())
    }
}

fn etcd(release: &Release, place: &Path) -> Result<(Process, String)> {
    let (port, peers) = (free_port()?, free_port()?);
    let (clients, peers) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
    let arguments = [
        format!("--data-dir={}", place.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // Nobody reads this state after a power cut.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    let mut process = Process::start("etcd", &release.etcd, arguments, &[], place)?;
    let http = Http::at(port);
    process.wait_until(START, || http.is_ok("/health"))?;
    Ok((process, clients))
}

fn apiserver(release: &Release, place: &Path, pki: &Pki, port: u16, storage: &str) -> Result<Process> {
    let file = |flag: &str, name: &str| format!("--{flag}={}", pki.file(name).display());
    let arguments = [
        format!("--etcd-servers={storage}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // The address of the loopback is none that the Service `kubernetes` could have.
        "--endpoint-reconciler-type=none".to_owned(),
        // The API server calls Services: those of this one are on this machine.
        "--service-cluster-ip-range=127.96.0.0/16".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        file("service-account-key-file", "sa.pub"),
        file("service-account-signing-key-file", "sa.key"),
        file("client-ca-file", "ca.crt"),
        file("requestheader-client-ca-file", "ca.crt"),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        file("tls-cert-file", "apiserver.crt"),
        file("tls-private-key-file", "apiserver.key"),
    ];
    Process::start("kube-apiserver", &release.apiserver, arguments, &[], place)
}

fn controller_manager(program: &Path, place: &Path, pki: &Pki, kubectl: &Kubectl) -> Result<Process> {
    let arguments = [
        format!("--kubeconfig={}", kubectl.kubeconfig().display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", free_port()?),
        format!("--cert-dir={}", place.join("controller-manager").display()),
        "--leader-elect=false".to_owned(),
        // Nodes that no kubelet speaks for would lose their pods.
        "--controllers=*,-node-lifecycle-controller,-nodelifecycle".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={}", pki.file("sa.key").display()),
        format!("--root-ca-file={}", pki.file("ca.crt").display()),
    ];
    Process::start("kube-controller-manager", program, arguments, &[], place)
}

fn write_kubeconfig(path: &Path, server: &str, pki: &Pki, user: &Value) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "proof",
            "cluster": { "server": server, "certificate-authority": pki.file("ca.crt") },
        }],
        "users": [{ "name": "proof", "user": user }],
        "contexts": [{ "name": "proof", "context": { "cluster": "proof", "user": "proof" } }],
        "current-context": "proof",
    });
    fs::write(path, config.to_string()).context(path.display())
}
