"""What runs before Grafana starts, against an API server and a dashboard server that are stand-ins."""

import base64
import contextlib
import importlib.util
import io
import json
import os
import pathlib
import tempfile
import unittest
import unittest.mock

FILES = pathlib.Path(__file__).parents[2] / "templates/grafana/files"


def script(name):
    spec = importlib.util.spec_from_file_location(name, FILES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """Answers like the API server; keeps what it was asked."""

    def __init__(self, status, body=b"{}"):
        self.status, self.reason, self.body, self.requests = status, "Reason", body, []

    def request(self, method, path, body, headers):
        self.requests.append((method, path, json.loads(body), headers))

    def getresponse(self):
        return self

    def read(self):
        return self.body


class CreateAdminSecret(unittest.TestCase):
    def run_with(self, server, **environment):
        module = script("create-admin-secret")
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            pathlib.Path(folder, "token").write_text("the token\n")
            module.ACCOUNT = folder
            base = {
                "NAMESPACE": "monitoring",
                "SECRET_NAME": "grafana",
                "KUBERNETES_SERVICE_HOST": "fd00::1",
                "KUBERNETES_SERVICE_PORT": "443",
            }
            context = unittest.mock.Mock(verify_flags=0)
            with unittest.mock.patch.dict(os.environ, base | environment), unittest.mock.patch.object(
                module.ssl, "create_default_context", return_value=context
            ), unittest.mock.patch.object(module.http.client, "HTTPSConnection", return_value=server):
                module.main()
        return said.getvalue()

    def test_creates_what_is_not_there(self):
        server = Server(201)
        said = self.run_with(server)
        [(method, path, secret, headers)] = server.requests
        self.assertEqual((method, path), ("POST", "/api/v1/namespaces/monitoring/secrets"))
        self.assertEqual(headers["Authorization"], "Bearer the token")
        self.assertEqual(secret["metadata"]["name"], "grafana")
        self.assertNotIn("app.kubernetes.io/instance", secret["metadata"]["labels"])
        self.assertEqual(base64.b64decode(secret["data"]["admin-user"]), b"admin")
        password = base64.b64decode(secret["data"]["admin-password"]).decode()
        self.assertRegex(password, "^[A-Za-z0-9]{40}$")
        self.assertNotIn(password, said)
        again = Server(201)
        self.run_with(again)
        self.assertNotEqual(again.requests[0][2]["data"], secret["data"])

    def test_asks_nobody_when_the_kubelet_has_it(self):
        server = Server(500)
        self.run_with(server, ADMIN_USER="admin", ADMIN_PASSWORD="x")
        self.assertEqual(server.requests, [])

    def test_leaves_what_is_there(self):
        self.assertIn("stays as it is", self.run_with(Server(409)))

    def test_says_why_it_may_not(self):
        with self.assertRaises(SystemExit) as end:
            self.run_with(Server(403, b'{"message": "secrets is forbidden"}'))
        self.assertIn("403 secrets is forbidden", str(end.exception))
        with self.assertRaises(SystemExit) as end:
            self.run_with(Server(502, b"<html>"))
        self.assertIn("502 Reason", str(end.exception))


class ImportDashboards(unittest.TestCase):
    def run_with(self, answers):
        """Downloads one dashboard per URL; `answers` are what each URL gives, an exception or bytes."""
        module = script("import-dashboards")
        asked = []

        def urlopen(request, timeout):
            asked.append(request.full_url)
            answer = answers[request.full_url]
            if isinstance(answer, Exception):
                raise answer
            return contextlib.closing(io.BytesIO(answer))

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(
            io.StringIO()
        ), contextlib.redirect_stderr(io.StringIO()) as complaints:
            wanted = [{"file": f"{at}.json", "url": url} for at, url in enumerate(answers)]
            module.FOLDER, module.LIST = folder, os.path.join(folder, "list")
            pathlib.Path(module.LIST).write_text(json.dumps({"dashboards": wanted, "datasources": ["prometheus"]}))
            with unittest.mock.patch.object(module.urllib.request, "urlopen", urlopen), unittest.mock.patch.object(
                module.time, "sleep"
            ):
                module.main()
            files = {path.name: path.read_text() for path in pathlib.Path(folder).glob("*.json")}
        return files, asked, complaints.getvalue()

    def test_fills_in_the_inputs(self):
        inputs = [
            {"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"},
            {"name": "DS_OTHER", "type": "datasource", "pluginId": "influxdb"},
            {"name": "VAR_X", "type": "constant", "value": 'a "b"'},
        ]
        body = {"title": "t", "__inputs": inputs, "a": "${DS_PROMETHEUS}", "b": "${DS_OTHER}", "c": "${VAR_X}"}
        files, _, _ = self.run_with({"https://x/1": json.dumps(body).encode()})
        read = json.loads(files["0.json"])
        self.assertEqual((read["a"], read["b"], read["c"]), ("prometheus", "${DS_OTHER}", 'a "b"'))

    def test_one_failure_does_not_stop_the_others(self):
        answers = {"https://x/1": OSError("down"), "https://x/2": b"<html>", "https://x/3": b'{"title": "t"}'}
        files, asked, complaints = self.run_with(answers)
        self.assertEqual(list(files), ["2.json"])
        self.assertEqual(len(asked), 3 + 3 + 1)
        self.assertIn("0.json is missing until the next start", complaints)


if __name__ == "__main__":
    unittest.main()
