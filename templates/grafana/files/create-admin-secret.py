"""Creates the Secret with Grafana's administrator when there is none, and never touches one that is there."""

import base64
import http.client
import json
import os
import secrets
import ssl
import string
import sys

ACCOUNT = os.environ.get("SERVICE_ACCOUNT_DIR", "/var/run/secrets/kubernetes.io/serviceaccount")


def text(value):
    return base64.b64encode(value.encode()).decode()


def main():
    # The kubelet has read the Secret already, if there is one.
    if os.environ.get("ADMIN_USER") and os.environ.get("ADMIN_PASSWORD"):
        print("the Secret is there")
        return

    namespace, name = os.environ["NAMESPACE"], os.environ["SECRET_NAME"]
    alphabet = string.ascii_letters + string.digits
    password = "".join(secrets.choice(alphabet) for _ in range(40))
    # Without the instance label, by which Argo CD would take the Secret for a part of an application and prune it.
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/name": "grafana",
                "app.kubernetes.io/component": "admin-secret",
            },
        },
        "type": "Opaque",
        "data": {"admin-user": text("admin"), "admin-password": text(password)},
    }

    with open(f"{ACCOUNT}/token", encoding="utf-8") as file:
        token = file.read().strip()
    context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    # Certificate authorities of older clusters lack extensions that newer Pythons insist on.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    server = http.client.HTTPSConnection(
        os.environ["KUBERNETES_SERVICE_HOST"],
        int(os.environ["KUBERNETES_SERVICE_PORT"]),
        timeout=30,
        context=context,
    )
    server.request(
        "POST",
        f"/api/v1/namespaces/{namespace}/secrets",
        json.dumps(secret),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    response = server.getresponse()
    body = response.read()
    if response.status == 201:
        print(f"created the Secret {namespace}/{name}")
    elif response.status == 409:
        print(f"the Secret {namespace}/{name} is there, and stays as it is")
    else:
        try:
            reason = json.loads(body)["message"]
        except (ValueError, KeyError, TypeError):
            reason = response.reason
        sys.exit(f"the API server refuses the Secret {namespace}/{name}: {response.status} {reason}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"no Secret could be created: {error}")
