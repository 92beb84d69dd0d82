"""Certificates for tests, made by the openssl command: an authority, and what it signs."""
import subprocess


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                      "-keyout", self.key, "-out", self.certificate)

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def sign(self, name, subject, hosts="DNS:localhost,IP:127.0.0.1"):
        """The files of a certificate and its key, and one of both as Kafka takes it."""
        key, request, certificate, extensions, both = (
            self.folder / f"{name}.{end}" for end in ("key", "csr", "pem", "ext", "both.pem"))
        extensions.write_text(f"subjectAltName={hosts}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                      "-days", "2", "-extfile", extensions, "-out", certificate)
        both.write_text(key.read_text() + certificate.read_text())
        return certificate, key, both


def serial_at(address):
    """Of the certificate that a server shows to who connects now."""
    shown = subprocess.run(["openssl", "s_client", "-connect", address, "-showcerts"], input="", capture_output=True,
                           text=True, timeout=30).stdout
    found = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True)
    return found.stdout.strip()


def serial_of(certificate):
    return subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", str(certificate)], capture_output=True,
                          text=True, check=True).stdout.strip()
