"""The functions of sprig that Argo offers in expressions, as ``sprig.name``.

Argo leaves out ``env`` and ``expandenv``. Functions that make keys and
certificates are refused by name: an engine for laptops should not be what makes them.
"""

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig import arithmetic, collections, dates, regexes, strings

REFUSED = (
    "bcrypt",
    "buildCustomCert",
    "decryptAES",
    "derivePassword",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htpasswd",
    "randBytes",
)


def _refused(name: str) -> Function:
    def refuse(*_: object) -> object:
        raise ExpressionError(f"sprig.{name} is not offered by `argosy run`; compute the value in a step")

    return refuse


FUNCTIONS: dict[str, Function] = {
    **arithmetic.FUNCTIONS,
    **strings.FUNCTIONS,
    **collections.FUNCTIONS,
    **dates.FUNCTIONS,
    **regexes.FUNCTIONS,
    **{name: _refused(name) for name in REFUSED},
}
