"""Signing in and its settings, what a person is told, and who may do what. Stands before the admin's addresses, whose
sign-in and password page it replaces."""

from django.contrib import admin
from django.urls import path

from apps.orgs import views
from apps.orgs.admin import notices
from apps.orgs.admin.viewing import end_view

inside = admin.site.admin_view

urlpatterns = [
    path("login/", views.sign_in, name="sign_in"),
    path("login/second-step/", views.second_step, name="second_step"),
    path("password_change/", inside(views.change_password), name="change_password"),
    path("two-step/", inside(views.two_step), name="two_step"),
    path("two-step/begin/", inside(views.begin_two_step), name="begin_two_step"),
    path("two-step/confirm/", inside(views.confirm_two_step), name="confirm_two_step"),
    path("two-step/off/", inside(views.end_two_step), name="end_two_step"),
    path("notices/", inside(notices.notices), name="notices"),
    path("notices/latest/", inside(notices.latest), name="latest_notices"),
    path("notices/unread/", inside(notices.unread), name="unread_notices"),
    path("notices/read/", inside(notices.all_read), name="read_notices"),
    path("notices/settings/", inside(notices.settings_page), name="notice_settings"),
    path("notices/<int:notice_id>/", inside(notices.open_notice), name="notice"),
    path("view-as/end/", inside(end_view), name="end_view"),
    path("why/", inside(views.why_not), name="why"),
]
