"""Every route for every kind of caller, against the permission matrix of the domain.

The table below is written from the matrix, not from rooms/rights/policy.py. A route that names an action and
has no row here fails, and so does a route that says neither an action nor a marker.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from house import House, open_house
from sqlalchemy import delete, insert, select, update
from village import PASSWORD, Facts, build, copy, email_of

from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, Lowered
from rooms.safety.proposals import MuteWish
from rooms.services import Services
from rooms.storage import schema
from rooms.values import (
    AgeBand,
    ConsentPurpose,
    Office,
    PageId,
    PersonId,
    PostId,
    ProposalKind,
    ReportId,
    ReportReason,
    ReportTarget,
    Role,
    RoomId,
    RoomKind,
    RoomStatus,
    SeeRule,
    SpaceKind,
    ThreadId,
    ThreadKind,
    new_id,
)
from server.api.routing import Marker
from server.app import all_routes

in_one_loop = pytest.mark.asyncio(loop_scope="module")

# Y: done. N: 403, told that it is not theirs to do. X: 404, the same as what is not there.
# PAR is a teacher of the partner school; REM was a teacher of the space and still is one of the school;
# OUT leads another space; STR is a pupil there. Without a log-in, or with an expired one, all is 401.
TABLE = """
                                              GST STU STE TEA PAR ADM FND REM OUT STR
GET    /spaces/{space_id}            space      N   Y   Y   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}            elsewhere  X   X   X   X   X   X   X   X   Y   Y
GET    /spaces/{space_id}            nowhere    X   X   X   X   X   X   X   X   X   X
GET    /spaces/{space_id}/members    space      N   Y   Y   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/pages      space      N   Y   Y   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/pages      elsewhere  X   X   X   X   X   X   X   X   Y   Y
GET    /spaces/{space_id}/bin        space      N   Y   Y   Y   Y   Y   Y   X   X   X
PATCH  /spaces/{space_id}            space      N   N   N   N   N   Y   Y   X   X   X
PATCH  /spaces/{space_id}            elsewhere  X   X   X   X   X   X   X   X   Y   N
GET    /spaces/{space_id}/policy     space      N   N   N   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/policy     elsewhere  X   X   X   X   X   X   X   X   Y   N
POST   /spaces/{space_id}/policy/try space      N   N   N   N   N   Y   Y   X   X   X
POST   /spaces/{space_id}/policy/try elsewhere  X   X   X   X   X   X   X   X   Y   N
PUT    /spaces/{space_id}/status     space      N   N   N   N   N   Y   Y   X   X   X
PUT    /spaces/{space_id}/freeze     space      N   N   N   Y   Y   Y   Y   X   X   X
DELETE /spaces/{space_id}/freeze     space      N   N   N   N   N   Y   Y   X   X   X
POST   /spaces/{space_id}/rooms      space      N   N   N   Y   Y   Y   Y   X   X   X
PATCH  /rooms/{room_id}              team       X   N   N   Y   Y   Y   Y   X   X   X
PATCH  /rooms/{room_id}              staff      X   X   X   Y   Y   Y   Y   X   X   X
PUT    /rooms/{room_id}/state        of-teacher X   N   N   Y   N   Y   Y   X   X   X
PUT    /rooms/{room_id}/state        general    X   N   N   N   N   Y   Y   X   X   X
PUT    /rooms/{room_id}/state        supervised X   N   N   Y   Y   Y   Y   X   X   X
PUT    /rooms/{room_id}/state        was-closed X   N   N   N   N   Y   Y   X   X   X
PUT    /rooms/{room_id}/hours        of-teacher X   N   N   Y   N   Y   Y   X   X   X
PUT    /rooms/{room_id}/hours        general    X   N   N   N   N   Y   Y   X   X   X
PUT    /rooms/{room_id}/hours        staff      X   X   X   N   N   Y   Y   X   X   X
DELETE /rooms/{room_id}/hours        of-teacher X   N   N   Y   N   Y   Y   X   X   X
DELETE /rooms/{room_id}/hours        general    X   N   N   N   N   Y   Y   X   X   X
POST   /spaces/{space_id}/invitations                  space      N N N Y Y Y Y X X X
POST   /spaces/{space_id}/invitations                  elsewhere  X X X X X X X X Y N
GET    /spaces/{space_id}/invitations                  space      N N N Y Y Y Y X X X
PUT    /spaces/{space_id}/invitations/{id}/confirmed   proposed   N N N N N Y Y X X X
DELETE /spaces/{space_id}/invitations/{id}             proposed   N N N Y X Y Y X X X
DELETE /spaces/{space_id}/invitations/{id}             invited    N N N X X Y Y X X X
POST   /spaces                       a-project  N   N   N   Y   Y   Y   Y   Y   Y   N
POST   /spaces                       a-group    N   N   N   Y   Y   Y   Y   Y   Y   N
POST   /spaces/{space_id}/partner    draft      N   N   N   N   N   N   Y   X   X   X
POST   /spaces/{space_id}/partner    space      N   N   N   N   N   N   409 X   X   X
PUT    /spaces/{space_id}/asked      refused    N   N   N   N   Y   N   Y   X   X   X
PUT    /spaces/{space_id}/asked      draft      N   N   N   N   N   N   409 X   X   X
DELETE /spaces/{space_id}/asked      pending    N   N   N   N   N   N   Y   X   X   X
DELETE /spaces/{space_id}            new-draft  X   X   X   X   X   X   Y   X   X   X
DELETE /spaces/{space_id}            pending    N   N   N   N   N   N   409 X   X   X
DELETE /spaces/{space_id}            space      N   N   N   N   N   N   409 X   X   X
DELETE /spaces/{space_id}            nowhere    X   X   X   X   X   X   X   X   X   X
GET    /approvals                    nothing    N   N   N   N   N   N   N   N   N   N
PUT    /spaces/{space_id}/approval   pending    N   N   N   N   N   N   N   X   X   X
PUT    /spaces/{space_id}/featured   group      N   N   N   N   N   N   N   X   X   X
PUT    /spaces/{space_id}/founder    space      N   N   N   N   N   N   Y   X   X   X
DELETE /spaces/{space_id}/me         space      Y   N   N   Y   Y   Y   409 X   X   X
GET    /groups                       nothing    N   N   N   Y   Y   Y   Y   Y   Y   N
PUT    /groups/{space_id}/join       group      N   N   N   Y   Y   Y   Y   Y   Y   N
PUT    /groups/{space_id}/join       others     N   N   N   Y   Y   Y   Y   Y   Y   N
PUT    /groups/{space_id}/join       nowhere    N   N   N   X   X   X   X   X   X   N
DELETE /groups/{space_id}/join       others     N   N   N   409 409 409 409 409 409 N
GET    /spaces/{space_id}/requests   group      N   N   N   N   N   Y   Y   X   X   X
GET    /spaces/{space_id}/requests   others     X   X   X   X   X   X   X   X   Y   N
PUT    /requests/{request_id}/answer wants-in   N   N   N   N   N   Y   Y   X   X   X
PUT    /requests/{request_id}/answer nowhere    X   X   X   X   X   X   X   X   X   X
PUT    /spaces/{space_id}/join-rule  group      N   N   N   N   N   Y   Y   X   X   X
PUT    /spaces/{space_id}/join-rule  space      N   N   N   N   N   409 409 X   X   X
POST   /spaces/{space_id}/proposals  space      N   N   N   N   N   Y   Y   X   X   X
POST   /spaces/{space_id}/proposals  elsewhere  X   X   X   X   X   X   X   X   Y   N
POST   /spaces/{space_id}/proposals  mutes-par  N   N   N   N   N   Y   Y   X   X   X
GET    /spaces/{space_id}/proposals  space      N   N   N   N   N   Y   Y   X   X   X
GET    /spaces/{space_id}/proposals  elsewhere  X   X   X   X   X   X   X   X   Y   N
GET    /proposals                    nothing    N   N   N   N   N   N   N   N   N   N
GET    /floors                       nothing    N   N   N   N   N   N   N   N   N   N
PUT    /spaces/{space_id}/floor/taken-back  wider    N N N N N N N X X X
PUT    /spaces/{space_id}/floor/taken-back  space    N N N N N N N X X X
PUT    /spaces/{space_id}/floor/taken-back  nowhere  X X X X X X X X X X
PUT    /proposals/{proposal_id}/decision  floor-waits  N N N N N N N X X X
PUT    /proposals/{proposal_id}/decision  mute-waits   N N N N X N Y X X X
PUT    /proposals/{proposal_id}/decision  nowhere      X X X X X X X X X X
DELETE /proposals/{proposal_id}           mute-waits   N N N N X Y N X X X
GET    /spaces/{space_id}/teams      space      N   Y   Y   Y   Y   Y   Y   X   X   X
POST   /spaces/{space_id}/teams      space      N   N   N   Y   Y   Y   Y   X   X   X
POST   /spaces/{space_id}/teams      elsewhere  X   X   X   X   X   X   X   X   Y   N
POST   /rooms/{room_id}/pages        general    X   N   Y   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/pages        team       X   Y   Y   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/pages        other-team X   X   X   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/pages        staff      X   X   X   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}              by-founder X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}              for-staff  X   X   X   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}              a-draft    X   X   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}              stu-draft  X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}              nowhere    X   X   X   X   X   X   X   X   X   X
GET    /pages/{page_id}/content      by-founder X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/content      for-staff  X   X   X   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/content      a-draft    X   X   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/authors      by-founder X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/authors      for-staff  X   X   X   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/authors      stu-draft  X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/authors      nowhere    X   X   X   X   X   X   X   X   X   X
GET    /pages/{page_id}/authorship   by-founder X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /pages/{page_id}/authorship   for-staff  X   X   X   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo         by-founder X   N   N   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo         by-student X   N   N   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo         for-staff  X   X   X   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo/preview by-founder X   N   N   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo/preview by-student X   N   N   Y   Y   Y   Y   X   X   X
POST   /pages/{page_id}/undo/preview for-staff  X   X   X   Y   Y   Y   Y   X   X   X
PATCH  /pages/{page_id}              by-founder X   N   N   Y   Y   Y   Y   X   X   X
PATCH  /pages/{page_id}              by-student X   Y   N   Y   Y   Y   Y   X   X   X
PATCH  /pages/{page_id}              by-editor  X   N   Y   Y   Y   Y   Y   X   X   X
PATCH  /pages/{page_id}              for-staff  X   X   X   Y   Y   Y   Y   X   X   X
PUT    /pages/{page_id}/lock         by-founder X   N   N   N   N   Y   Y   X   X   X
PUT    /pages/{page_id}/lock         by-teacher X   N   N   Y   N   Y   Y   X   X   X
PUT    /pages/{page_id}/lock         by-editor  X   N   N   N   N   Y   Y   X   X   X
DELETE /pages/{page_id}/lock         by-founder X   N   N   N   N   Y   Y   X   X   X
DELETE /pages/{page_id}/lock         by-teacher X   N   N   Y   N   Y   Y   X   X   X
DELETE /pages/{page_id}              by-founder X   N   N   N   N   Y   Y   X   X   X
DELETE /pages/{page_id}              by-teacher X   N   N   Y   N   Y   Y   X   X   X
DELETE /pages/{page_id}              by-editor  X   N   Y   N   N   Y   Y   X   X   X
DELETE /pages/{page_id}              by-student X   N   N   N   N   Y   Y   X   X   X
DELETE /pages/{page_id}              stu-draft  X   Y   N   N   N   Y   Y   X   X   X
POST   /pages/{page_id}/restore      binned-fnd X   X   X   X   X   Y   Y   X   X   X
POST   /pages/{page_id}/restore      binned-ste X   X   Y   X   X   Y   Y   X   X   X
POST   /spaces/{space_id}/members    ebro-pupil N   N   N   Y   N   Y   Y   X   X   X
PATCH  /memberships/{membership_id}  mate       N   N   N   Y   N   Y   Y   X   X   X
PATCH  /memberships/{membership_id}  pal        N   N   N   N   Y   Y   Y   X   X   X
PATCH  /memberships/{membership_id}  adult      N   N   N   N   N   Y   Y   X   X   X
PATCH  /memberships/{membership_id}  founder    N   N   N   N   N   N   N   X   X   X
DELETE /memberships/{membership_id}  mate       N   N   N   Y   N   Y   Y   X   X   X
DELETE /memberships/{membership_id}  pal        N   N   N   N   Y   Y   Y   X   X   X
DELETE /memberships/{membership_id}  guest      Y   N   N   N   N   Y   Y   X   X   X
DELETE /memberships/{membership_id}  founder    N   N   N   N   N   N   N   X   X   X
PUT    /memberships/{membership_id}/mute    mate    N N N Y N Y Y X X X
PUT    /memberships/{membership_id}/mute    pal     N N N N Y Y Y X X X
PUT    /memberships/{membership_id}/mute    guest   N N N N N Y Y X X X
PUT    /memberships/{membership_id}/mute    partner N N N N N N N X X X
PUT    /memberships/{membership_id}/mute    founder N N N N N N N X X X
DELETE /memberships/{membership_id}/mute    mate    N N N Y N Y Y X X X
DELETE /memberships/{membership_id}/mute    pal     N N N N Y Y Y X X X
DELETE /memberships/{membership_id}/mute    partner N N N N N Y Y X X X
GET    /spaces/{space_id}/threads    space      N   Y   Y   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/threads    elsewhere  X   X   X   X   X   X   X   X   Y   Y
POST   /rooms/{room_id}/threads      general    X   Y   Y   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/threads      team       X   Y   Y   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/threads      other-team X   X   X   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/threads      staff      X   X   X   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/threads      chat       X   N   N   Y   Y   Y   Y   X   X   X
POST   /rooms/{room_id}/threads      ask        X   Y   Y   N   N   N   N   X   X   X
GET    /threads/{thread_id}          thr-open   X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /threads/{thread_id}          thr-team   X   Y   Y   Y   Y   Y   Y   X   X   X
GET    /threads/{thread_id}          thr-other  X   X   X   Y   Y   Y   Y   X   X   X
GET    /threads/{thread_id}          thr-staff  X   X   X   Y   Y   Y   Y   X   X   X
GET    /threads/{thread_id}          thr-ask    X   Y   X   Y   X   Y   Y   X   X   X
PATCH  /threads/{thread_id}          thr-open   X   N   N   Y   N   Y   Y   X   X   X
PATCH  /threads/{thread_id}          thr-stu    X   N   N   N   N   Y   Y   X   X   X
PUT    /threads/{thread_id}/lock     thr-open   X   N   N   Y   N   Y   Y   X   X   X
PUT    /threads/{thread_id}/lock     thr-stu    X   N   N   N   N   Y   Y   X   X   X
DELETE /threads/{thread_id}/lock     thr-locked X   N   N   Y   N   Y   Y   X   X   X
POST   /threads/{thread_id}/posts    thr-open   X   Y   Y   Y   Y   Y   Y   X   X   X
POST   /threads/{thread_id}/posts    thr-staff  X   X   X   Y   Y   Y   Y   X   X   X
POST   /threads/{thread_id}/posts    thr-locked X   N   N   N   N   N   N   X   X   X
POST   /threads/{thread_id}/posts    thr-ask    X   Y   X   Y   X   Y   Y   X   X   X
POST   /threads/{thread_id}/posts    thr-chat   X   N   N   Y   Y   Y   Y   X   X   X
PUT    /threads/{thread_id}/hand     thr-open   X   Y   Y   Y   Y   Y   Y   X   X   X
DELETE /threads/{thread_id}/hand     thr-open   X   Y   Y   Y   Y   Y   Y   X   X   X
PATCH  /posts/{post_id}              of-student X   Y   N   N   N   N   N   X   X   X
PATCH  /posts/{post_id}              of-tea     X   N   N   Y   N   N   N   X   X   X
PUT    /posts/{post_id}/reactions/{mark}    of-student  X Y Y Y Y Y Y X X X
DELETE /posts/{post_id}/reactions/{mark}    of-student  X Y Y Y Y Y Y X X X
PUT    /posts/{post_id}/reactions/{mark}    of-held     X X X X X X X X X X
PUT    /posts/{post_id}/vote         of-poll    X   Y   Y   Y   Y   Y   Y   X   X   X
PUT    /posts/{post_id}/closed       of-poll    X   N   N   Y   Y   Y   Y   X   X   X
PUT    /posts/{post_id}/closed       of-student X   409 N   409 409 409 409 X   X   X
PUT    /posts/{post_id}/closed       of-hidden  X   X   X   X   X   X   X   X   X   X
GET    /spaces/{space_id}/held       space      N   N   N   Y   Y   Y   Y   X   X   X
PUT    /posts/{post_id}/decision     of-held    X   N   X   Y   X   Y   Y   X   X   X
PUT    /posts/{post_id}/decision     of-pal     X   X   X   X   Y   N   N   X   X   X
PUT    /posts/{post_id}/hidden       of-student X   Y   N   Y   Y   Y   Y   X   X   X
PUT    /posts/{post_id}/hidden       of-tea     X   N   N   N   N   Y   Y   X   X   X
DELETE /posts/{post_id}/hidden       of-hidden  X   N   N   Y   Y   Y   Y   X   X   X
GET    /posts/{post_id}/original     of-hidden  X   N   N   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/audit      space      Y   Y   Y   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/audit      elsewhere  X   X   X   X   X   X   X   X   Y   Y
GET    /spaces/{space_id}/reports    space      N   N   N   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/reports    elsewhere  X   X   X   X   X   X   X   X   Y   N
POST   /spaces/{space_id}/reports    some-page  X   Y   Y   Y   Y   Y   Y   X   X   X
POST   /spaces/{space_id}/reports    staff-page X   X   X   Y   Y   Y   Y   X   X   X
POST   /spaces/{space_id}/reports    a-mate     X   Y   Y   Y   Y   Y   Y   X   X   X
PUT    /reports/{report_id}/taken    about-pal  X   X   X   Y   Y   Y   Y   X   X   X
PUT    /reports/{report_id}/taken    about-tea  X   X   X   X   X   Y   Y   X   X   X
PUT    /reports/{report_id}/taken    about-adm  X   X   X   Y   X   X   Y   X   X   X
PUT    /reports/{report_id}/taken    about-fnd  X   X   X   Y   X   Y   X   X   X   X
PUT    /reports/{report_id}/taken    by-partner X   X   X   X   X   Y   Y   X   X   X
PUT    /reports/{report_id}/answer   about-pal  X   X   X   Y   Y   Y   Y   X   X   X
PUT    /reports/{report_id}/answer   about-tea  X   X   X   X   X   Y   Y   X   X   X
PUT    /reports/{report_id}/answer   about-adm  X   X   X   Y   X   X   Y   X   X   X
PUT    /reports/{report_id}/answer   nowhere    X   X   X   X   X   X   X   X   X   X
POST   /reports/{report_id}/case     about-pal  X   X   X   X   X   X   X   X   X   X
POST   /reports/{report_id}/case     escalated  X   X   X   X   X   X   X   X   X   X
POST   /spaces/{space_id}/cases      space      X   X   X   X   X   X   X   X   X   X
GET    /cases/{case_id}              a-case     X   X   X   X   X   X   X   X   X   X
GET    /cases/{case_id}/threads/{thread_id}     a-case     X X X X X X X X X X
DELETE /cases/{case_id}              a-case     X   X   X   X   X   X   X   X   X   X
GET    /spaces/{space_id}/cockpit    space      N   N   N   Y   Y   Y   Y   X   X   X
GET    /spaces/{space_id}/cockpit    elsewhere  X   X   X   X   X   X   X   X   Y   N
POST   /spaces/{space_id}/visit      space      N   N   N   Y   Y   Y   Y   X   X   X
POST   /spaces/{space_id}/visit      elsewhere  X   X   X   X   X   X   X   X   Y   N
GET    /schools/{school_id}/pupils   ebro       X   X   X   Y   X   Y   Y   Y   X   X
POST   /schools/{school_id}/pupils   ebro       X   X   X   Y   X   Y   Y   X   X   X
GET    /schools/{school_id}/consents ebro       X   X   X   Y   X   Y   Y   Y   X   X
PUT    /schools/{school_id}/consents ebro       X   X   X   Y   X   Y   Y   Y   X   X
GET    /people/{person_id}/consents  mate       X   X   X   Y   X   Y   Y   Y   X   X
GET    /people/{person_id}/consents  pal        X   X   X   X   Y   X   X   X   X   X
GET    /people/{person_id}/consents  teacher    X   X   X   X   X   X   X   X   X   X
PUT    /people/{person_id}/consents/{purpose}/withdrawn  consenting  X X X Y X Y Y Y X X
PUT    /me/contacts/{person_id}      partner    N   N   N   Y   409 Y   Y   X   X   X
PUT    /me/contacts/{person_id}      teacher    N   N   N   409 Y   Y   Y   X   X   X
PUT    /me/contacts/{person_id}      pal        N   N   N   N   N   N   N   X   X   X
PUT    /me/contacts/{person_id}      guest      409 N   N   N   N   N   N   X   X   X
PUT    /me/contacts/{person_id}      stranger   X   X   X   X   X   X   X   X   N   409
PUT    /me/contacts/{person_id}/answer  partner-asks  X X X Y X X X X X X
DELETE /me/contacts/{person_id}         asks-teacher  X X X X Y X X X X X
GET    /me/messages/{person_id}      partner    N   N   N   Y   409 Y   Y   X   X   X
GET    /me/messages/{person_id}      pal        N   N   N   N   N   N   N   X   X   X
GET    /me/messages/{person_id}      stranger   X   X   X   X   X   X   X   X   N   409
POST   /me/messages/{person_id}      partner    N   N   N   Y   409 Y   Y   X   X   X
POST   /me/messages/{person_id}      teacher    N   N   N   409 Y   Y   Y   X   X   X
POST   /me/messages/{person_id}      pal        N   N   N   N   N   N   N   X   X   X
POST   /me/messages/{person_id}      guest      409 N   N   N   N   N   N   X   X   X
POST   /me/messages/{person_id}      stranger   X   X   X   X   X   X   X   X   N   409
PUT    /me/messages/{person_id}/read    wrote-to-teacher  X X X Y X X X X X X
PUT    /me/blocks/{person_id}        pal        Y   Y   Y   Y   Y   Y   Y   X   X   X
PUT    /me/blocks/{person_id}        teacher    Y   409 409 409 Y   Y   Y   X   X   X
PUT    /me/blocks/{person_id}        partner    Y   Y   Y   Y   409 Y   Y   X   X   X
PUT    /me/blocks/{person_id}        stranger   X   X   X   X   X   X   X   X   Y   409
DELETE /me/blocks/{person_id}        mate       Y   Y   Y   Y   Y   Y   Y   X   X   X
POST   /people/{person_id}/code      mate       N   N   N   Y   N   Y   Y   Y   X   X
PATCH  /people/{person_id}           mate       N   N   N   Y   N   Y   Y   Y   X   X
"""
CALLERS = {
    "GST": "guest",
    "STU": "student",
    "STE": "editor",
    "TEA": "teacher",
    "PAR": "partner",
    "ADM": "admin",
    "FND": "founder",
    "REM": "removed",
    "OUT": "outsider",
    "STR": "stranger",
}
STATUS = {"N": 403, "X": 404}
NOT_FOUND = {"error": {"code": "not-found", "message": "There is nothing here, or it is not open to you."}}


def rows() -> list[tuple[str, str, str, dict[str, str]]]:
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [(m, path, target, dict(zip(head, cells, strict=True))) for m, path, target, *cells in lines]


Request = tuple[dict[str, str], dict[str, Any] | None]


@dataclass
class World:
    """A node with the village in it, put back to its first state before each request."""

    house: House
    facts: Facts
    tokens: dict[str, str] = field(default_factory=dict)
    first: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    @property
    def services(self) -> Services:
        return self.house.node.services

    async def remember(self) -> None:
        async with self.services.records.reading() as tx:
            for table in (schema.spaces, schema.memberships, schema.room_members, schema.rooms):
                self.first[table.name] = [dict(row) for row in await tx.all(select(table))]

    async def put_back(self) -> None:
        async with self.services.records.writing() as tx:
            for table in (schema.spaces, schema.memberships, schema.rooms):
                for row in self.first[table.name]:
                    await tx.do(update(table).where(table.c.id == row["id"]).values(row))
            await tx.do(delete(schema.join_requests))
            await tx.do(delete(schema.proposals))
            await tx.do(delete(schema.blocks))
            await tx.do(delete(schema.room_members))
            await tx.do(insert(schema.room_members), self.first["room_members"])
            await tx.do(
                update(schema.people).where(schema.people.c.state == "disabled").values(state="active")
            )

    async def page(self, author: str, room: str = "general", **changes: Any) -> PageId:
        pages, person = self.services.pages, self.facts.people[author]
        title = f"Page {next(self.numbers)}"
        page = PageId((await pages.create(person, self.facts.rooms[room], title=title)).id)
        if changes:
            await pages.change(person, page, changes)
        return page

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None, token: str | None
    ) -> tuple[int, Any]:
        headers = {"Origin": self.house.url}
        if token is not None:
            headers["Cookie"] = f"__Host-twinspace={token}"
        async with self.house.http.request(
            method, f"{self.house.url}/api{path}", json=body, headers=headers
        ) as answer:
            json = answer.content_type == "application/json"
            return answer.status, await answer.json() if json else await answer.text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("permissions")
    (folder / "built").mkdir()
    (folder / "data").mkdir()
    await _in_thread(build, folder / "built")
    facts = copy(folder / "built", folder / "data")
    shutil.rmtree(folder / "built")
    async with open_house(folder / "data", api_rate=100_000.0, api_burst=1_000_000) as house:
        world = World(house, facts)
        sessions = house.node.services.sessions
        for name in (*CALLERS.values(), "expired"):
            who = "teacher" if name == "expired" else name
            if who in facts.codes:
                made = await sessions.log_in_with_code(facts.codes[who], address="")
            else:
                made = await sessions.log_in_with_password(email_of(who), PASSWORD, address="")
            world.tokens[name] = made.token
            if name == "expired":
                async with house.node.services.records.writing() as tx:
                    mine = schema.sessions.c.id == made.principal.session_id
                    await tx.do(update(schema.sessions).where(mine).values(expires_at=1.0))
        await world.remember()
        yield world


async def _in_thread(work: Callable[[Path], None], folder: Path) -> None:
    import asyncio

    await asyncio.to_thread(work, folder)


# What each target of the table is, and what is sent to it


def space(name: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def find(world: World, method: str) -> dict[str, str]:
        return {"space_id": world.facts.spaces.get(name, "no-such-space")}

    return find


def room(name: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def find(world: World, method: str) -> dict[str, str]:
        return {"room_id": world.facts.rooms[name]}

    return find


def page(
    author: str, where: str = "general", **changes: Any
) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def make(world: World, method: str) -> dict[str, str]:
        return {"page_id": await world.page(author, where, **changes)}

    return make


def binned(author: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def make(world: World, method: str) -> dict[str, str]:
        made = await world.page(author)
        await world.services.pages.bin(world.facts.people[author], made)
        return {"page_id": made}

    return make


def member(name: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def find(world: World, method: str) -> dict[str, str]:
        return {"membership_id": world.facts.members[name], "person_id": world.facts.people[name]}

    return find


def somebody(name: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def find(world: World, method: str) -> dict[str, str]:
        return {"person_id": world.facts.people[name]}

    return find


def thread(
    author: str, where: str = "general", *, kind: ThreadKind = ThreadKind.THREAD, locked: bool = False
) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def make(world: World, method: str) -> dict[str, str]:
        discussions, person = world.services.discussions, world.facts.people[author]
        room = (await other_team(world, method))["room_id"] if where == "other" else world.facts.rooms[where]
        key = f"thread-{next(world.numbers):08}"
        made = await discussions.start(person, RoomId(room), title="Otters", kind=kind, key=key)
        if locked:
            await discussions.lock(person, ThreadId(made.id), "Enough")
        return {"thread_id": made.id}

    return make


def post(
    author: str, *, body: str = "Hello", hidden: bool = False, options: list[str] | None = None
) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def make(world: World, method: str) -> dict[str, str]:
        ids = await thread("teacher")(world, method)
        made = await world.services.discussions.post(
            world.facts.people[author],
            ThreadId(ids["thread_id"]),
            key=f"post-{next(world.numbers):08}",
            body=body,
            options=options,
        )
        if hidden:
            await world.services.moderation.hide(world.facts.people["founder"], PostId(made.id))
        return {"post_id": made.id, "mark": "heart"}

    return make


async def nowhere(world: World, method: str) -> dict[str, str]:
    ids = ("report_id", "space_id", "page_id", "request_id", "proposal_id")
    return dict.fromkeys(ids, "no-such-thing")


async def room_of_teacher(world: World, method: str) -> dict[str, str]:
    made = await world.services.spaces.make_room(
        world.facts.people["teacher"],
        world.facts.spaces["rivers"],
        title="Of the teacher",
        kind=RoomKind.GENERAL,
    )
    return {"room_id": made.id}


async def closed_room(world: World, method: str) -> dict[str, str]:
    founder = world.facts.people["founder"]
    made = await world.services.spaces.make_room(
        founder, world.facts.spaces["rivers"], title="Closed", kind=RoomKind.GENERAL
    )
    await world.services.spaces.set_room_state(founder, RoomId(made.id), RoomStatus.READ_ONLY)
    return {"room_id": made.id}


async def other_team(world: World, method: str) -> dict[str, str]:
    made = await world.services.spaces.make_room(
        world.facts.people["founder"],
        world.facts.spaces["rivers"],
        title="Other team",
        members=[world.facts.members["mate"]],
    )
    return {"room_id": made.id}


async def ebro_pupil(world: World, method: str) -> dict[str, str]:
    """A pupil of the first school who is not in the space."""
    founder, rivers = world.facts.people["founder"], world.facts.spaces["rivers"]
    people, members = world.services.people, world.services.members
    [made] = await people.make_pupils(founder, world.facts.schools["ebro"], rivers, [None])
    [joined] = [m for m in await members.of_space(founder, rivers) if m.person_id == made.person_id]
    await members.remove(founder, joined.id)  # type: ignore[arg-type]
    return {"space_id": rivers, "pupil": made.person_id}


def reportable(
    target: str, find: Callable[[World], str]
) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def found(world: World, method: str) -> dict[str, str]:
        return {"space_id": world.facts.spaces["rivers"], "target": target, "target_id": find(world)}

    return found


def report(by: str, about: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def sent(world: World, method: str) -> dict[str, str]:
        made = await world.services.reports.send(
            world.facts.people[by],
            world.facts.spaces["rivers"],
            ReportTarget.PERSON,
            world.facts.members[about],
            ReportReason.UNKIND,
        )
        return {"report_id": made.id}

    return sent


async def officer_of(world: World, office: Office = Office.OFFICER) -> PersonId:
    """The national officer of Portugal, or a platform admin; each is made once."""
    if office not in world.facts.people:
        made = await world.services.people.add_adult(
            name=office, email=email_of(office), password=PASSWORD, school=None
        )
        world.facts.people[office] = made
        country = "PT" if office is Office.OFFICER else None
        values = {"id": new_id(), "person_id": made, "office": office, "country_code": country}
        async with world.services.records.writing() as tx:
            await tx.do(insert(schema.appointments).values(**values, starts_at=1.0))
    return world.facts.people[office]


async def escalated(world: World, method: str) -> dict[str, str]:
    """A report that has come to the office at once, of nobody whom other tests report."""
    made = await world.services.reports.send(
        world.facts.people["pal"],
        world.facts.spaces["rivers"],
        ReportTarget.PERSON,
        world.facts.members["editor"],
        ReportReason.VIOLENCE,
    )
    return {"report_id": made.id}


async def a_case(world: World, method: str) -> dict[str, str]:
    officer, cases = await officer_of(world), world.services.cases
    report = (await escalated(world, method))["report_id"]
    mine = [case.id for case in await cases.of(officer) if not case.over]
    case = mine[0] if mine else (await cases.open(officer, ReportId(report))).id
    return {"case_id": case, **await thread("teacher")(world, method)}


def invitation(by: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    async def made(world: World, method: str) -> dict[str, str]:
        rivers = world.facts.spaces["rivers"]
        new = await world.services.invitations.invite(world.facts.people[by], rivers, Role.GUEST)
        return {"space_id": rivers, "id": new.invitation.id}

    return made


def rivers(*, partner: bool = False, **values: Any) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    """The space "rivers", as if it were one with these values, and perhaps a second founder."""

    async def found(world: World, method: str) -> dict[str, str]:
        here = world.facts.spaces["rivers"]
        async with world.services.records.writing() as tx:
            await tx.do(update(schema.spaces).where(schema.spaces.c.id == here).values(values))
            if partner:
                mine = schema.memberships.c.id == world.facts.members["partner"]
                await tx.do(update(schema.memberships).where(mine).values(role="admin", founder=True))
        return {"space_id": here}

    return found


async def others_group(world: World, method: str) -> dict[str, str]:
    there = world.facts.spaces["elsewhere"]
    async with world.services.records.writing() as tx:
        here = schema.spaces.c.id == there
        await tx.do(update(schema.spaces).where(here).values(kind="group", join_rule="request"))
    return {"space_id": there}


async def wants_in(world: World, method: str) -> dict[str, str]:
    """A request of the outsider to come into "rivers"."""
    await rivers(kind="group", join_rule="request")(world, method)
    asker, here = world.facts.people["outsider"], world.facts.spaces["rivers"]
    await world.services.joining.join(asker, here)
    [found] = await world.services.joining.requests(world.facts.people["founder"], here)
    return {"request_id": found.id}


def proposal(kind: ProposalKind) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    """One of the admin's that waits: to open "rivers" wider, or to mute the partner."""

    async def made(world: World, method: str) -> dict[str, str]:
        async with world.services.records.writing() as tx:
            await tx.do(delete(schema.proposals))
        proposals, admin, here = (
            world.services.proposals,
            world.facts.people["admin"],
            world.facts.spaces["rivers"],
        )
        if kind is ProposalKind.FLOOR:
            asked = await proposals.ask_floor(admin, here, Lowered(chat=Chat.FREE), "They are careful.")
        else:
            partner = world.facts.members["partner"]
            asked = await proposals.ask_mute(admin, here, partner, MuteWish(), "He shouts.")
        return {"proposal_id": asked.id}

    return made


async def nothing(world: World, method: str) -> dict[str, str]:
    return {}


async def ebro(world: World, method: str) -> dict[str, str]:
    return {"school_id": world.facts.schools["ebro"]}


async def consenting(world: World, method: str) -> dict[str, str]:
    facts, consents = world.facts, world.services.consents
    mate, day = facts.people["mate"], date(2026, 9, 1)
    await consents.record(facts.people["founder"], facts.schools["ebro"], [mate], ConsentPurpose.IMAGE, day)
    return {"person_id": mate, "purpose": "image"}


def asked(whom: str) -> Callable[[World, str], Awaitable[dict[str, str]]]:
    """The partner has asked the teacher and nobody else is known to anybody."""

    async def ask(world: World, method: str) -> dict[str, str]:
        people = world.facts.people
        async with world.services.records.writing() as tx:
            await tx.do(delete(schema.contacts))
        await world.services.contacts.ask(people["partner"], people["teacher"])
        return {"person_id": people[whom]}

    return ask


async def wrote_to_teacher(world: World, method: str) -> dict[str, str]:
    people, sent = world.facts.people, f"sent-{next(world.numbers):08}"
    await world.services.direct_messages.send(people["partner"], people["teacher"], key=sent, body="Hello")
    return {"person_id": people["partner"]}


async def new_draft(world: World, method: str) -> dict[str, str]:
    """A draft of the founder's own, in which nobody else is."""
    founder, services = world.facts.people["founder"], world.services
    mine = [each.id for each in await services.spaces.of(founder) if each.title == "Draft"]
    if not mine:
        made = await services.lifecycle.make(
            founder,
            kind=SpaceKind.PROJECT,
            title="Draft",
            summary="",
            languages=["en"],
            age_band=AgeBand.FROM_12,
        )
        mine = [made.id]
    return {"space_id": mine[0]}


TARGETS: dict[str, Callable[[World, str], Awaitable[dict[str, str]]]] = {
    "space": space("rivers"),
    "elsewhere": space("elsewhere"),
    "nowhere": nowhere,
    "general": room("general"),
    "supervised": room("general"),
    "was-closed": closed_room,
    "team": room("team"),
    "staff": room("staff"),
    "of-teacher": room_of_teacher,
    "other-team": other_team,
    "by-founder": page("founder"),
    "by-teacher": page("teacher"),
    "by-editor": page("editor", "team"),
    "by-student": page("student", "team"),
    "stu-draft": page("student", "team", see_rule=SeeRule.DRAFT),
    "a-draft": page("founder", see_rule=SeeRule.DRAFT),
    "for-staff": page("founder", see_rule=SeeRule.STAFF),
    "binned-fnd": binned("founder"),
    "binned-ste": binned("editor"),
    "chat": room("general"),
    "ask": room("general"),
    "thr-open": thread("teacher"),
    "thr-stu": thread("student", "team"),
    "thr-team": thread("founder", "team"),
    "thr-other": thread("teacher", "other"),
    "thr-staff": thread("founder", "staff"),
    "thr-ask": thread("student", kind=ThreadKind.ASK),
    "thr-chat": thread("founder", kind=ThreadKind.CHAT),
    "thr-locked": thread("teacher", locked=True),
    "of-student": post("student"),
    "of-tea": post("teacher"),
    "of-poll": post("founder", options=["Yes", "No"]),
    "of-held": post("student", body="otter@mail.example"),
    "of-pal": post("pal", body="otter@mail.example"),
    "of-hidden": post("student", hidden=True),
    "mate": member("mate"),
    "pal": member("pal"),
    "guest": member("guest"),
    "adult": member("guest"),
    "founder": member("founder"),
    "partner": member("partner"),
    "teacher": member("teacher"),
    "stranger": somebody("stranger"),
    "ebro-pupil": ebro_pupil,
    "ebro": ebro,
    "a-project": nothing,
    "a-group": nothing,
    "nothing": nothing,
    "draft": rivers(status="draft"),
    "new-draft": new_draft,
    "refused": rivers(status="draft", partner=True),
    "pending": rivers(status="pending"),
    "group": rivers(kind="group", join_rule="request"),
    "others": others_group,
    "wants-in": wants_in,
    "mutes-par": space("rivers"),
    "floor-waits": proposal(ProposalKind.FLOOR),
    "mute-waits": proposal(ProposalKind.MUTE),
    "wider": rivers(policy={"lowered": {"age_band": "16-19", "chat": "free"}}),
    "consenting": consenting,
    "partner-asks": asked("partner"),
    "asks-teacher": asked("teacher"),
    "wrote-to-teacher": wrote_to_teacher,
    "proposed": invitation("teacher"),
    "invited": invitation("founder"),
    "some-page": reportable("page", lambda world: world.facts.pages["open"]),
    "staff-page": reportable("page", lambda world: world.facts.pages["staff"]),
    "a-mate": reportable("person", lambda world: world.facts.members["mate"]),
    "about-pal": report("mate", "pal"),
    "about-tea": report("mate", "teacher"),
    "about-adm": report("mate", "admin"),
    "about-fnd": report("mate", "founder"),
    "by-partner": report("partner", "guest"),
    "escalated": escalated,
    "a-case": a_case,
}


def body_of(method: str, path: str, target: str, ids: dict[str, str], world: World) -> dict[str, Any] | None:
    adult = target in ("adult", "founder")
    undo = {"membership_id": world.facts.members["student"], "since": time.time() - 600}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("PATCH", "/spaces/{space_id}"): {"summary": "New"},
        ("POST", "/spaces/{space_id}/policy/try"): {"text": "Call 612 345 678"},
        ("PUT", "/spaces/{space_id}/status"): {"status": "closed"},
        ("POST", "/spaces/{space_id}/rooms"): {"title": "New"},
        ("POST", "/spaces/{space_id}/teams"): {"count": 1},
        ("POST", "/spaces/{space_id}/invitations"): {"role": "guest"},
        ("POST", "/spaces"): {
            "kind": target.removeprefix("a-"),
            "title": "New",
            "languages": ["en"],
            "age_band": "12-15",
        },
        ("POST", "/spaces/{space_id}/partner"): {"days": 7},
        ("PUT", "/spaces/{space_id}/approval"): {"approve": True},
        ("PUT", "/spaces/{space_id}/featured"): {"featured": True},
        ("PUT", "/spaces/{space_id}/founder"): {"member": world.facts.members["admin"]},
        ("PUT", "/spaces/{space_id}/join-rule"): {"rule": "open"},
        ("PUT", "/groups/{space_id}/join"): {"words": "May I?"},
        ("PUT", "/requests/{request_id}/answer"): {"accept": False, "because": "Full."},
        ("POST", "/spaces/{space_id}/proposals"): {
            "mute" if target == "mutes-par" else "floor": (
                {"member": world.facts.members["partner"]} if target == "mutes-par" else {"chat": "free"}
            ),
            "because": "We have talked.",
        },
        ("PUT", "/proposals/{proposal_id}/decision"): {"accept": True},
        ("PUT", "/spaces/{space_id}/floor/taken-back"): {"because": "They are younger now."},
        ("PATCH", "/rooms/{room_id}"): {"title": "New"},
        ("PUT", "/rooms/{room_id}/state"): {
            "state": "supervised" if target in ("supervised", "was-closed") else "frozen"
        },
        ("PUT", "/rooms/{room_id}/hours"): {"days": [1, 5], "from": "08:00", "to": "16:00"},
        ("POST", "/rooms/{room_id}/pages"): {"title": "New"},
        ("PATCH", "/pages/{page_id}"): {"title": "New"},
        ("PUT", "/pages/{page_id}/lock"): {"reason": "We read it together."},
        ("POST", "/pages/{page_id}/undo"): undo,
        ("POST", "/pages/{page_id}/undo/preview"): undo,
        ("POST", "/rooms/{room_id}/threads"): {
            "title": "New",
            "kind": target if target in ("chat", "ask") else "thread",
            "key": f"sent-{next(world.numbers):08}",
        },
        ("PATCH", "/threads/{thread_id}"): {"title": "New"},
        ("PUT", "/threads/{thread_id}/lock"): {"reason": "Enough."},
        ("POST", "/threads/{thread_id}/posts"): {"key": f"sent-{next(world.numbers):08}", "body": "Hello"},
        ("PATCH", "/posts/{post_id}"): {"body": "Hello again"},
        ("PUT", "/posts/{post_id}/vote"): {"option": 1},
        ("PUT", "/posts/{post_id}/decision"): {"approve": True},
        ("PUT", "/posts/{post_id}/hidden"): {"because": "Not kind."},
        ("POST", "/spaces/{space_id}/members"): {"person_id": ids.get("pupil", "")},
        ("POST", "/spaces/{space_id}/reports"): {
            "target": ids.get("target"),
            "target_id": ids.get("target_id"),
            "reason": "unkind",
        },
        ("POST", "/reports/{report_id}/case"): {"ground": "The school has asked."},
        ("POST", "/spaces/{space_id}/cases"): {"ground": "An order of a court."},
        ("PUT", "/reports/{report_id}/answer"): {"answer": "Thank you. We have talked to them."},
        ("PATCH", "/memberships/{membership_id}"): {"role": "teacher" if adult else "student-editor"},
        ("PUT", "/memberships/{membership_id}/mute"): {"reason": "Let others speak."},
        ("POST", "/schools/{school_id}/pupils"): {"space_id": world.facts.spaces["rivers"], "count": 1},
        ("PATCH", "/people/{person_id}"): {"name": "New"},
        ("PUT", "/schools/{school_id}/consents"): {
            "pupils": [world.facts.people["mate"]],
            "purpose": "image",
            "given_on": "2026-09-01",
        },
        ("PUT", "/me/contacts/{person_id}/answer"): {"accept": True},
        ("POST", "/me/messages/{person_id}"): {"key": f"sent-{next(world.numbers):08}", "body": "Hello"},
        ("PUT", "/me/messages/{person_id}/read"): {"until": time.time() + 1},
    }
    return bodies.get((method, path))


def test_every_route_says_what_it_is() -> None:
    for route in all_routes():
        assert isinstance(route.action, Action) or isinstance(route.access, Marker), route.path


def test_every_route_with_an_action_stands_in_the_table() -> None:
    routes = {(route.method, route.path) for route in all_routes() if route.action is not None}
    assert routes == {(method, path) for method, path, _, _ in rows()}


@pytest.mark.parametrize(
    ("method", "path", "target", "cells"), rows(), ids=lambda value: value if isinstance(value, str) else ""
)
@in_one_loop
async def test_route(world: World, method: str, path: str, target: str, cells: dict[str, str]) -> None:
    got: dict[str, str] = {}
    await world.put_back()
    for role, name in CALLERS.items():
        ids = await TARGETS[target](world, method)
        body = body_of(method, path, target, ids, world)
        status, answer = await world.call(method, path.format(**ids), body, world.tokens[name])
        got[role] = next((cell for cell, code in STATUS.items() if code == status), str(status))
        if 200 <= status < 300:
            got[role] = "Y"
            await world.put_back()
        elif status == 404:
            assert answer == NOT_FOUND
        elif status == 403:
            assert answer["error"]["code"] == "not-allowed"
    assert got == cells


@pytest.mark.parametrize(
    ("method", "path", "target", "cells"), rows(), ids=lambda value: value if isinstance(value, str) else ""
)
@in_one_loop
async def test_without_a_log_in(
    world: World, method: str, path: str, target: str, cells: dict[str, str]
) -> None:
    """The same answer whether there is such a thing or not, and nothing is done."""
    await world.put_back()
    ids = await TARGETS[target](world, method)
    body = body_of(method, path, target, ids, world)
    for token in (None, world.tokens["expired"], "made-up"):
        for path_ids in (ids, dict.fromkeys(ids, "no-such-thing")):
            status, answer = await world.call(method, path.format(**path_ids), body, token)
            assert (status, answer["error"]["code"]) == (401, "not-logged-in")


@in_one_loop
async def test_routes_for_every_log_in_give_only_what_is_the_callers_own(world: World) -> None:
    await world.put_back()
    logged_in = {
        (route.method, route.path)
        for route in all_routes()
        if route.access is not None and route.access.value == "logged-in"
    }
    assert logged_in == {
        ("GET", "/me"),
        ("PATCH", "/me"),
        ("PUT", "/me/password"),
        ("GET", "/me/reports"),
        ("GET", "/me/cases"),
        ("GET", "/me/blocks"),
        ("GET", "/me/contacts"),
        ("GET", "/me/messages"),
        ("GET", "/me/notifications"),
        ("POST", "/me/notifications/read"),
        ("GET", "/me/mail"),
        ("PUT", "/me/mail"),
        ("POST", "/invitations/{token}/accept"),
        ("POST", "/invitations/{token}/decline"),
    }
    for name in CALLERS.values():
        status, me = await world.call("GET", "/me", None, world.tokens[name])
        assert status == 200
        assert me["person"]["id"] == world.facts.people[name]
        status, me = await world.call("PATCH", "/me", {"language": "pt"}, world.tokens[name])
        assert me["person"]["language"] == "pt"
        status, mine = await world.call("GET", "/me/reports", None, world.tokens[name])
        assert (status, mine["escalated"]) == (200, [])
    await world.services.blocking.block(world.facts.people["mate"], world.facts.people["editor"])
    async with world.services.records.writing() as tx:
        told = [world.facts.people["outsider"]]  # an adult: pupils are told by the hour
        await world.services.notifications.tell(tx, told, "mention", None, "post/p1")
    for name in CALLERS.values():
        seen = {"until": time.time() + 1}
        status, _ = await world.call("POST", "/me/notifications/read", seen, world.tokens[name])
        assert status == 204
        status, mine = await world.call("GET", "/me/notifications", None, world.tokens[name])
        assert (status, mine["unread"]) == (200, 0)
        mentions = [each for each in mine["notifications"] if each["ref"] == "post/p1"]
        assert len(mentions) == (name == "outsider")
        status, mine = await world.call("GET", "/me/blocks", None, world.tokens[name])
        assert status == 200
        assert world.facts.people["editor"] not in [block["person_id"] for block in mine]
    mate = await world.services.people.get(PersonId(world.facts.people["mate"]))
    assert mate.language is None


@in_one_loop
async def test_a_foreign_page_changes_nothing_with_a_log_in(world: World) -> None:
    await world.put_back()
    headers = {
        "Origin": "https://evil.example",
        "Cookie": f"__Host-twinspace={world.tokens['admin']}",
    }
    url = f"{world.house.url}/api/spaces/{world.facts.spaces['rivers']}"
    async with aiohttp.ClientSession() as http:
        async with http.patch(url, json={"title": "Stolen"}, headers=headers) as answer:
            assert answer.status in (401, 403)
        async with http.get(url, headers=headers) as answer:
            assert answer.status == 401
