"""All tables, one module for each noun. Times are UTC milliseconds, ids are text, JSON is text.

All code imports them from here, which also fills ``SQLModel.metadata`` for migrations and backups.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel

from server.storage.tables.articles import (
    Article,
    ArticlePhrasing,
    ArticleText,
    ArticleUpload,
    ArticleVector,
    ArticleVersion,
    KnowledgeCalibration,
    KnowledgeHead,
    SuggestionRow,
)
from server.storage.tables.care import (
    CareCall,
    CarePlan,
    CareRepair,
    DefectAlarm,
    DeskNotice,
    FixNotice,
    FixTold,
)
from server.storage.tables.conversations import (
    OF_CUSTOMER,
    ON_DESK,
    ConversationRow,
    Draft,
    EventRow,
    MessageRow,
    RatingComment,
    ReadMark,
    SessionRow,
    TurnRow,
)
from server.storage.tables.customers import (
    BlockedValue,
    Contact,
    Customer,
    CustomerBlock,
    CustomerLink,
    CustomerNote,
    CustomerOrigin,
    CustomerPreference,
    CustomerTag,
    LinkLog,
    ReviewCase,
    SavedSegment,
    UsedIdentity,
    VisitorToken,
)
from server.storage.tables.figures import (
    FigureColumn,
    FigureDay,
    FigureHead,
    ReportSchedule,
    StoredReport,
)
from server.storage.tables.files import (
    FileGone,
    FileRow,
)
from server.storage.tables.hours import (
    CalendarVersion,
    TargetVersion,
    TargetWatch,
)
from server.storage.tables.mails import (
    MailBox,
    MailIn,
    MailOut,
    MailOutFile,
    MailSheet,
    MailWish,
)
from server.storage.tables.orders import (
    UNDERWAY,
    Cart,
    ImportBatch,
    ImportChange,
    OrderLine,
    Product,
    ShopDelivery,
    ShopOrder,
    ShopOrderParts,
    ShopSource,
)
from server.storage.tables.people import (
    Agent,
    ApiToken,
    FailedTry,
    KeptAnswer,
    SignIn,
    Team,
    TeamMember,
)
from server.storage.tables.portal import (
    PortalCode,
    PortalSession,
)
from server.storage.tables.privacy import (
    ConsentRow,
    PageDay,
    PageEvent,
    PrivacyRequest,
    Tombstone,
)
from server.storage.tables.processes import (
    Process,
    ShopperPresence,
    Viewing,
)
from server.storage.tables.reviews import (
    Review,
    ReviewItem,
    ReviewSample,
    ReviewText,
    ScorecardVersion,
)
from server.storage.tables.rules import (
    RuleEffect,
    RuleRow,
    RuleRun,
    RuleVersion,
)
from server.storage.tables.segments import (
    BuyingMark,
    Offer,
    PlaybookVersion,
    ProductPair,
    Profile,
    SegmentChange,
    SegmentColumn,
    SegmentHead,
    SegmentMark,
    ThresholdsRow,
)
from server.storage.tables.shop import (
    LogReader,
    Secret,
    Shop,
)
from server.storage.tables.tickets import (
    RequestLine,
    TicketLink,
    TicketNote,
    TicketRow,
    TicketSearch,
    TicketStatus,
    TicketTask,
    TicketText,
    TicketTypeRow,
    TicketWatcher,
)
from server.storage.tables.webhooks import (
    WebhookDelivery,
    WebhookRow,
)

__all__ = [
    "OF_CUSTOMER",
    "ON_DESK",
    "UNDERWAY",
    "Agent",
    "ApiToken",
    "Article",
    "ArticlePhrasing",
    "ArticleText",
    "ArticleUpload",
    "ArticleVector",
    "ArticleVersion",
    "BlockedValue",
    "BuyingMark",
    "CalendarVersion",
    "CareCall",
    "CarePlan",
    "CareRepair",
    "Cart",
    "ConsentRow",
    "Contact",
    "ConversationRow",
    "Customer",
    "CustomerBlock",
    "CustomerLink",
    "CustomerNote",
    "CustomerOrigin",
    "CustomerPreference",
    "CustomerTag",
    "DefectAlarm",
    "DeskNotice",
    "Draft",
    "EventRow",
    "FailedTry",
    "FigureColumn",
    "FigureDay",
    "FigureHead",
    "FileGone",
    "FileRow",
    "FixNotice",
    "FixTold",
    "ImportBatch",
    "ImportChange",
    "KeptAnswer",
    "KnowledgeCalibration",
    "KnowledgeHead",
    "LinkLog",
    "LogReader",
    "MailBox",
    "MailIn",
    "MailOut",
    "MailOutFile",
    "MailSheet",
    "MailWish",
    "MessageRow",
    "Offer",
    "OrderLine",
    "PageDay",
    "PageEvent",
    "PlaybookVersion",
    "PortalCode",
    "PortalSession",
    "PrivacyRequest",
    "Process",
    "Product",
    "ProductPair",
    "Profile",
    "RatingComment",
    "ReadMark",
    "ReportSchedule",
    "RequestLine",
    "Review",
    "ReviewCase",
    "ReviewItem",
    "ReviewSample",
    "ReviewText",
    "RuleEffect",
    "RuleRow",
    "RuleRun",
    "RuleVersion",
    "SavedSegment",
    "ScorecardVersion",
    "Secret",
    "SegmentChange",
    "SegmentColumn",
    "SegmentHead",
    "SegmentMark",
    "SessionRow",
    "Shop",
    "ShopDelivery",
    "ShopOrder",
    "ShopOrderParts",
    "ShopSource",
    "ShopperPresence",
    "SignIn",
    "StoredReport",
    "SuggestionRow",
    "TargetVersion",
    "TargetWatch",
    "Team",
    "TeamMember",
    "ThresholdsRow",
    "TicketLink",
    "TicketNote",
    "TicketRow",
    "TicketSearch",
    "TicketStatus",
    "TicketTask",
    "TicketText",
    "TicketTypeRow",
    "TicketWatcher",
    "Tombstone",
    "TurnRow",
    "UsedIdentity",
    "Viewing",
    "VisitorToken",
    "WebhookDelivery",
    "WebhookRow",
    "table",
]


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a model, for Core statements on the message path."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]  # set by SQLModel
