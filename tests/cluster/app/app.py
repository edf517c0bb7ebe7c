"""The tutorial's test application: it answers at /test02, and its access log is what the collector reads."""

import logging

from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger("gunicorn.error")


@app.get("/test02")
def test02():
    if "fail" in request.args:
        log.error("error: asked to fail")
        return "no\n", 500
    return "hello\n"
