"""What every environment shares. Variables are read through `config.env`, which refuses a wrong one by name."""

import os
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from apps.core.broker import DECLARED, QUEUE
from apps.core.postgres import OWNER, EmbeddedPostgres
from config.env import Environment
from config.schedules import SCHEDULE
from config.secrets import local_secrets

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").resolve()

env = Environment()
IS_LOCAL = env.choice("STUDIO_ENV", "local", ("local", "production")) == "local"
if IS_LOCAL:
    env = Environment(local_secrets(DATA_DIR) | dict(os.environ))

SECRET_KEY = env.secret("SECRET_KEY", 50)
PERSONAL_DATA_KEYS = env.key_ring("PERSONAL_DATA_KEYS")
LOOKUP_KEY = env.key("LOOKUP_KEY")
DEBUG = False
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if IS_LOCAL else None)
PORT = env.integer("PORT", 8000, 1, 65535)

INSTALLED_APPS = [
    "apps.core.apps.CoreConfig",
    "apps.conditions",
    "apps.orgs",
    "apps.approvals",
    "apps.members",
    "apps.activity",
    "apps.points",
    "apps.segments",
    "apps.rules",
    "apps.reports",
    "config",
    "benchmarks",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.simple_history",
    "unfold.contrib.import_export",
    "apps.core.apps.StudioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "guardian",
    "import_export",
    "simple_history",
    "treebeard",
    "ninja",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]

MIDDLEWARE = [
    "apps.core.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.orgs.admin.viewing.SeenAs",
    "apps.orgs.clocks.OwnClocks",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "apps.core.middleware.Refused",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

# -- Database: the application's own role, and the owner of the tables for migrations only ----------------------

EMBEDDED_POSTGRES = EmbeddedPostgres(DATA_DIR)
_given = env.database("DATABASE_URL")
if _given is None:
    _application = EMBEDDED_POSTGRES.connection() | {"ENGINE": "apps.core.backend"}
    _owner = EMBEDDED_POSTGRES.connection(user=OWNER) | {"ENGINE": "apps.core.backend"}
else:
    _application, _owner = _given, env.database("DATABASE_OWNER_URL") or dict(_given)
DATABASES = {
    "default": {**_application, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True},
    "owner": _owner,
}
DATABASE_ROUTERS = ["apps.core.database.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- People -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "orgs.Staff"
AUTHENTICATION_BACKENDS = ["apps.orgs.auth.RoleBackend"]
ANONYMOUS_USER_NAME = None
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # apps.orgs.auth reads guardian's grants itself, by role and subtree
LOGIN_URL = "admin:login"
LOGOUT_REDIRECT_URL = "admin:login"
CSRF_FAILURE_VIEW = "apps.core.views.stale_form"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
OTP_TOTP_ISSUER = "Loyalty Studio"
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0  # apps.orgs.services.tries counts every guess
PROXY_HOPS = env.integer("PROXY_HOPS", 0 if IS_LOCAL else 1, 0, 5)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# -- Languages and time -----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- What people see --------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": _("Loyalty Studio"),
    "SITE_HEADER": _("Loyalty Studio"),
    "SITE_URL": None,
    "SITE_ICON": "config.look.icon",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.look.icon"}],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "apps.core.admin.home.home_context",
    "STYLES": ["config.look.style", "config.look.bell_style"],
    "SCRIPTS": ["config.look.script", "config.look.palette_script", "config.look.bell_script"],
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.sidebar.navigation"},
}

# -- Files ------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "uploads"
FILE_UPLOAD_HANDLERS = [
    "apps.core.uploads.CappedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# -- E-mail: files under the data folder, or a server of yours ----------------------------------------------------

_names = [host.removeprefix(".") for host in ALLOWED_HOSTS]
STUDIO_URL = (
    env.address("STUDIO_URL", ("http", "https")) or (f"http://localhost:{PORT}" if IS_LOCAL else f"https://{_names[0]}")
).rstrip("/")
"""Where people open the studio: e-mails lead there."""
DEFAULT_FROM_EMAIL = env.sender("MAIL_FROM", f"Loyalty Studio <studio@{_names[0]}>")
EMAIL_TIMEOUT = 10
_mail = env.mail("MAIL_URL")
if _mail is None:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    globals().update(_mail)

# -- Log: plain lines on standard error, no bodies, no personal data -------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "apps.core.logs.PlainFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    },
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}

# -- Background work --------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.address("CELERY_BROKER_URL", ("redis", "rediss", "amqp", "amqps"))
CELERY_TASK_DEFAULT_QUEUE = QUEUE
CELERY_TASK_TIME_LIMIT = 25 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 30 * 60,  # longer than any task may take
    "poll_interval_ms": 50,
    "socket_connect_timeout": 2,
}
if not CELERY_BROKER_URL:
    CELERY_BROKER_URL = "pgmq://localhost"  # the transport asks the database's settings where to go
    CELERY_BROKER_TRANSPORT = "apps.core.broker:Transport"
    CELERY_TASK_QUEUES = (DECLARED,)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 10
# What these would add is unused, and a long host name stops the worker at its start.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "schedule")
CELERY_TIMEZONE = "UTC"
HEALTH_QUEUE_SECONDS = env.integer("HEALTH_QUEUE_SECONDS", 300, 10, 24 * 3600)
