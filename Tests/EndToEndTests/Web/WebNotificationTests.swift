import Foundation
import StructuredData
import Testing
import WebDriver

/// Where people are reminded besides the page, and what became of it.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebNotificationTests {
    /// An address that the rules permit and that leads nowhere: the block was given back in 2006.
    private static let nowhere = "https://[3ffe::1]/hook"

    @Test(arguments: Screen.sizes) func aWebhookIsAddedTriedPausedAndRemoved(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Settings")
            try await browser.enter("https://127.0.0.1/hook", into: "URL or address")
            try await browser.click("Add", in: ".settings-section:nth-of-type(3)")
            try await page.says("URL or address:", in: ".settings-section:nth-of-type(3) .form-error")
            try await browser.holds { try await browser.focused().name == "URL or address" }
            try await browser.enter(Self.nowhere, into: "URL or address")
            try await browser.click("Add", in: ".settings-section:nth-of-type(3)")
            try await page.says("Copy the secret", in: ".settings-section:nth-of-type(3) .notice")
            try await browser.holds { try await browser.find(".token").text.hasPrefix("whsec_") }
            try await page.says("In use", in: ".channels")
            try await browser.show("channels")

            try await browser.click("Send a test to \(Self.nowhere)")
            try await page.says("A test is sent", in: "undo-toast")
            _ = try await browser.eventually("an attempt that failed", within: .seconds(60)) {
                () async throws -> Bool? in
                try await browser.click("Refresh")
                _ = try await browser.find(".deliveries li")
                return try await browser.all(".delivery-error").isEmpty ? nil : true
            }
            try await page.says("Test", in: ".deliveries strong")
            try await page.says("Waiting ·", in: ".deliveries")
            try await browser.show("deliveries")
            try await browser.choose("Delivered", from: "Status")
            try await page.says("Nothing was sent.")
            try await browser.choose("All", from: "Status")
            _ = try await browser.find(".deliveries li")

            try await browser.click("Pause \(Self.nowhere)")
            try await page.says("Paused", in: ".channels")
            try await browser.click("Go on with \(Self.nowhere)")
            try await page.says("In use", in: ".channels")
            let secret = try await browser.find(".token").text
            try await browser.click("New secret for \(Self.nowhere)")
            try await browser.click("Make a new secret")
            _ = try await browser.eventually("another secret") { () async throws -> Bool? in
                try await browser.find(".token").text != secret ? true : nil
            }
            try await browser.click("Remove \(Self.nowhere)")
            _ = try await browser.eventually("no channel") { () async throws -> Bool? in
                try await browser.all(".channels li").isEmpty ? true : nil
            }
        }
    }

    @Test func whatThePageWasToldIsInTheHistory() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Take the bread out")
            try await page.lists(["Take the bread out"])
            try await page.isSaved()
            try await page.remind(of: "Take the bread out")
            try await page.isRemindedOf(["Take the bread out"])
            _ = try await browser.eventually("the delivery") { () async throws -> Bool? in
                try await page.goTo("Today")
                try await page.goTo("Settings")
                let text = try await browser.find(".deliveries li, .deliveries + .hint:not(:empty)").text
                return text.contains("Take the bread out") && text.contains("This page") && text.contains("Delivered")
                    ? true : nil
            }
        }
    }
}
