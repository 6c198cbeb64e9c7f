"""All routes of the HTTP edge, put together for the composition root."""

from __future__ import annotations

from aiohttp import web

from server.http.api.routes import add_api
from server.http.bodies import JSON_BYTES
from server.http.corrections import add_corrections
from server.http.customer_page import add_customer_page
from server.http.customers import add_customers
from server.http.customers_csv import add_customer_export
from server.http.files import add_files
from server.http.front_door import SETUP_CODE, add_front_door
from server.http.health import add_health
from server.http.help_centre import add_help_centre
from server.http.hooks import add_hooks
from server.http.identity import add_identity
from server.http.knowledge import add_knowledge
from server.http.mail_sheet import add_mail_sheet
from server.http.metrics import add_metrics
from server.http.middleware import MIDDLEWARES, add_headers
from server.http.notices import add_notices
from server.http.open_loops import add_open_loops
from server.http.pages import add_pages
from server.http.portal import add_portal
from server.http.report_mails import add_report_mails
from server.http.report_products import add_product_reports
from server.http.report_segments import add_segment_reports
from server.http.report_staffing import add_staffing
from server.http.report_wall import add_wall
from server.http.reports import add_reports
from server.http.reviews import add_reviews
from server.http.reviews_card import add_review_card
from server.http.reviews_form import add_review_forms
from server.http.settings import add_settings
from server.http.settings_care import add_care_settings
from server.http.settings_hours import add_hours_settings
from server.http.settings_mail import add_mail_settings
from server.http.settings_playbook import add_playbook_settings
from server.http.settings_privacy import add_privacy_settings
from server.http.settings_rules import add_rule_settings
from server.http.settings_sources import add_source_settings
from server.http.settings_targets import add_target_settings
from server.http.settings_tickets import add_ticket_settings
from server.http.settings_tokens import add_token_settings
from server.http.settings_webhooks import add_webhook_settings
from server.http.static import add_static
from server.http.stored_reports import add_stored_reports
from server.http.ticket_page import add_ticket_page
from server.http.tickets import add_tickets
from server.http.widget import add_widget

__all__ = ["MAX_BODY_BYTES", "MIDDLEWARES", "SETUP_CODE", "add_routes"]
MAX_BODY_BYTES = 2 * JSON_BYTES
"""``client_max_size`` of the application; each route has a smaller limit of its own."""


def add_routes(app: web.Application) -> None:
    """Adds all pages. Needs ``app[DATABASE]`` and ``app[SETTINGS]``, and MIDDLEWARES in the app."""
    add_health(app)
    add_metrics(app)
    add_static(app)
    add_widget(app)
    add_front_door(app)
    add_pages(app)
    add_reports(app)
    add_corrections(app)
    add_stored_reports(app)
    add_report_mails(app)
    add_segment_reports(app)
    add_staffing(app)
    add_product_reports(app)
    add_wall(app)
    add_reviews(app)
    add_review_card(app)
    add_review_forms(app)
    add_identity(app)
    add_knowledge(app)
    add_help_centre(app)
    add_portal(app)
    add_customers(app)
    add_customer_export(app)
    add_customer_page(app)
    add_files(app)
    add_tickets(app)
    add_open_loops(app)
    add_notices(app)
    add_care_settings(app)
    add_ticket_page(app)
    add_settings(app)
    add_ticket_settings(app)
    add_hours_settings(app)
    add_target_settings(app)
    add_rule_settings(app)
    add_playbook_settings(app)
    add_token_settings(app)
    add_webhook_settings(app)
    add_source_settings(app)
    add_privacy_settings(app)
    add_mail_settings(app)
    add_mail_sheet(app)
    add_hooks(app)
    add_api(app)
    app.on_response_prepare.append(add_headers)
